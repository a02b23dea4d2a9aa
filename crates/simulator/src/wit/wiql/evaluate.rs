//! Conditions against work items.

use std::cmp::Ordering;
use std::collections::HashSet;

use super::parse::{Condition, LinkMode, Operand, Operator, Query, Side, day};
use crate::wit::fields::FieldId;
use crate::wit::ids;
use crate::wit::item::{Item, Revision, Target};
use crate::wit::links::PARENT;
use crate::wit::value::FieldValue;
use crate::wit::write::visible;
use crate::world::Organization;

/// What a condition is tested on.
#[derive(Clone, Copy)]
struct Row<'a> {
    source: &'a Item,
    target: Option<&'a Item>,
    link: &'a str,
}

struct Evaluator<'a> {
    organization: &'a Organization,
    query: &'a Query,
}

/// The items that match, in the order that is asked for.
pub(super) fn items<'a>(organization: &'a Organization, query: &'a Query) -> Vec<&'a Item> {
    let evaluator = Evaluator {
        organization,
        query,
    };
    let mut found: Vec<&Item> = evaluator
        .candidates()
        .filter(|item| evaluator.is_source(item))
        .collect();
    sort(&evaluator, query, &mut found);
    found
}

/// Source (absent for a source itself), link type and target.
type LinkRow = (Option<u32>, Option<&'static str>, u32);

/// The rows of a query for links.
pub(super) fn links(organization: &Organization, query: &Query, mode: LinkMode) -> Vec<LinkRow> {
    let evaluator = Evaluator {
        organization,
        query,
    };
    let mut sources: Vec<&Item> = evaluator.candidates().collect();
    sort(&evaluator, query, &mut sources);
    if mode == LinkMode::Recursive {
        sources.retain(|source| evaluator.is_source(source));
        return evaluator.trees(&sources);
    }
    let mut rows = Vec::new();
    for source in sources {
        let matching = evaluator.below(source, source);
        let keep = match mode {
            LinkMode::May => !matching.is_empty() || evaluator.is_source(source),
            LinkMode::Without => matching.is_empty() && evaluator.is_source(source),
            LinkMode::Must | LinkMode::Recursive => !matching.is_empty(),
        };
        if keep {
            rows.push((None, None, source.id));
            rows.extend(
                matching
                    .into_iter()
                    .map(|(link, target)| (Some(source.id), Some(link), target.id)),
            );
        }
    }
    rows
}

fn sort(evaluator: &Evaluator<'_>, query: &Query, items: &mut [&Item]) {
    items.sort_by(|one, two| {
        for (field, descending) in &query.order {
            let ordering = match (evaluator.value(one, *field), evaluator.value(two, *field)) {
                (Some(one), Some(two)) => compare(&one, &two),
                (one, two) => one.is_some().cmp(&two.is_some()),
            };
            let ordering = if *descending {
                ordering.reverse()
            } else {
                ordering
            };
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        one.id.cmp(&two.id)
    });
}

fn compare(one: &FieldValue, two: &FieldValue) -> Ordering {
    match (one, two) {
        (FieldValue::Date(one), FieldValue::Date(two)) => one.cmp(two),
        _ => match (number(one), number(two)) {
            (Some(one), Some(two)) => one.total_cmp(&two),
            _ => one
                .display()
                .to_lowercase()
                .cmp(&two.display().to_lowercase()),
        },
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of queries are small")]
fn number(value: &FieldValue) -> Option<f64> {
    match value {
        FieldValue::Integer(number) => Some(*number as f64),
        FieldValue::Double(number) => Some(*number),
        _ => None,
    }
}

impl<'a> Evaluator<'a> {
    fn candidates(&self) -> impl Iterator<Item = &'a Item> {
        let as_of = self.query.as_of;
        let organization = self.organization;
        organization.wit.items.values().filter(move |item| {
            item.deleted.is_none()
                && !organization.hides_item(item)
                && as_of.is_none_or(|moment| item.rev_at(moment).is_some())
        })
    }

    /// Whether what is asked of sources alone holds.
    fn is_source(&self, item: &Item) -> bool {
        let row = Row {
            source: item,
            target: None,
            link: "",
        };
        self.test(&self.query.condition, row)
    }

    /// Links of an item, and where they lead, that match below a source.
    fn below(&self, source: &Item, from: &Item) -> Vec<(&'static str, &'a Item)> {
        let organization = self.organization;
        visible(organization, from)
            .into_iter()
            .filter_map(|relation| match relation.target {
                Target::Item { link, id } => {
                    Some((link.reference, organization.wit.items.get(&id)?))
                }
                _ => None,
            })
            .filter(|(link, target)| {
                let row = Row {
                    source,
                    target: Some(target),
                    link,
                };
                self.test(&self.query.condition, row)
            })
            .collect()
    }

    /// Each source with all that hangs below it; one that hangs below another is no root of its own.
    fn trees(&self, sources: &[&'a Item]) -> Vec<LinkRow> {
        let mut roots = Vec::new();
        let mut hanging = HashSet::new();
        for source in sources {
            let mut rows = Vec::new();
            let mut seen = HashSet::from([source.id]);
            self.descend(source, source, &mut seen, &mut rows);
            seen.remove(&source.id);
            hanging.extend(seen);
            roots.push((source.id, rows));
        }
        let roots = roots
            .into_iter()
            .filter(|(root, _)| !hanging.contains(root));
        roots
            .flat_map(|(root, rows)| std::iter::once((None, None, root)).chain(rows))
            .collect()
    }

    fn descend(
        &self,
        source: &Item,
        from: &Item,
        seen: &mut HashSet<u32>,
        rows: &mut Vec<LinkRow>,
    ) {
        for (link, target) in self.below(source, from) {
            if seen.insert(target.id) {
                rows.push((Some(from.id), Some(link), target.id));
                self.descend(source, target, seen, rows);
            }
        }
    }

    fn revision<'b>(&self, item: &'b Item) -> (u32, &'b Revision) {
        let rev = self
            .query
            .as_of
            .and_then(|moment| item.rev_at(moment))
            .unwrap_or_else(|| item.rev());
        (rev, item.revision(rev).unwrap_or_else(|| item.latest()))
    }

    fn value(&self, item: &Item, field: FieldId) -> Option<FieldValue> {
        let (rev, revision) = self.revision(item);
        match field {
            ids::ID => Some(FieldValue::Integer(i64::from(item.id))),
            ids::REV => Some(FieldValue::Integer(i64::from(rev))),
            ids::PARENT => item
                .relations
                .iter()
                .find_map(|relation| match relation.target {
                    Target::Item { link, id } if link.reference == PARENT => {
                        Some(FieldValue::Integer(i64::from(id)))
                    }
                    _ => None,
                }),
            _ => revision.values.get(field).cloned(),
        }
    }

    fn test(&self, condition: &Condition, row: Row<'_>) -> bool {
        match condition {
            Condition::Always => true,
            Condition::And(all) => all.iter().all(|condition| self.test(condition, row)),
            Condition::Or(all) => all.iter().any(|condition| self.test(condition, row)),
            Condition::Not(condition) => !self.test(condition, row),
            // Without a target (the row of a source alone) what is asked of links and targets is left out.
            Condition::LinkType { not, names } => {
                row.target.is_none()
                    || names.iter().any(|name| name.eq_ignore_ascii_case(row.link)) != *not
            }
            Condition::Test {
                side,
                field,
                operator,
                values,
            } => {
                let item = match side {
                    Side::Source => row.source,
                    Side::Target => match row.target {
                        Some(target) => target,
                        None => return true,
                    },
                };
                if *operator == Operator::Ever {
                    return item.revisions.iter().any(|revision| {
                        self.holds(item, revision.values.get(*field), Operator::Equal, values)
                    });
                }
                self.holds(item, self.value(item, *field).as_ref(), *operator, values)
            }
        }
    }

    fn holds(
        &self,
        item: &Item,
        value: Option<&FieldValue>,
        operator: Operator,
        operands: &[Operand],
    ) -> bool {
        let any = |wanted: fn(Ordering) -> bool| {
            operands
                .iter()
                .any(|operand| self.order(item, value, operand).is_some_and(wanted))
        };
        let text = || {
            value
                .map(|value| value.display().to_lowercase())
                .unwrap_or_default()
        };
        let words = operands.iter().filter_map(|operand| {
            if let Operand::Text(text) = operand {
                Some(text.to_lowercase())
            } else {
                None
            }
        });
        match operator {
            Operator::Equal | Operator::In | Operator::InGroup | Operator::Ever => {
                any(Ordering::is_eq)
            }
            Operator::NotEqual => !any(Ordering::is_eq),
            Operator::Less => any(Ordering::is_lt),
            Operator::Greater => any(Ordering::is_gt),
            Operator::LessOrEqual => any(Ordering::is_le),
            Operator::GreaterOrEqual => any(Ordering::is_ge),
            Operator::IsEmpty => value.is_none(),
            Operator::Contains => words.into_iter().any(|word| text().contains(&word)),
            Operator::ContainsWords => words.into_iter().any(|phrase| {
                phrase
                    .split_whitespace()
                    .all(|word| text().contains(word.trim_end_matches('*')))
            }),
            Operator::Under => words
                .into_iter()
                .any(|path| text() == path || text().starts_with(&format!("{path}\\"))),
        }
    }

    /// How the value stands to the operand; `None` if they cannot be compared.
    fn order(
        &self,
        item: &Item,
        value: Option<&FieldValue>,
        operand: &Operand,
    ) -> Option<Ordering> {
        match (value, operand) {
            (None, Operand::Text(text)) => text.is_empty().then_some(Ordering::Equal),
            (Some(FieldValue::Date(date)), Operand::Date(wanted)) => {
                Some(if self.query.time_precision {
                    date.cmp(wanted)
                } else {
                    day(*date).cmp(wanted)
                })
            }
            (Some(value), Operand::Number(wanted)) => {
                number(value).map(|number| number.total_cmp(wanted))
            }
            (Some(FieldValue::Person(person)), Operand::Text(text)) => {
                let same = self
                    .organization
                    .people
                    .find(text)
                    .is_some_and(|wanted| wanted.id == person.id);
                Some(if same {
                    Ordering::Equal
                } else {
                    person.combined().to_lowercase().cmp(&text.to_lowercase())
                })
            }
            (Some(value), Operand::Text(text)) => {
                Some(value.display().to_lowercase().cmp(&text.to_lowercase()))
            }
            (Some(value), Operand::Field(field)) => {
                self.value(item, *field).map(|other| compare(value, &other))
            }
            (None, _) | (Some(_), Operand::Date(_)) => None,
        }
    }
}
