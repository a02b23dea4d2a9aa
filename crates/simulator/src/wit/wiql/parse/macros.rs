//! Values that a query does not spell out: they depend on who asks, where and when.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan as _};

use super::{Operand, Parser, Token, error};
use crate::core::Team;
use crate::server::ApiError;
use crate::wit::types;

/// What a macro counts in: `@StartOfMonth - 1` is the month before.
#[derive(Clone, Copy)]
enum Unit {
    Day,
    Week,
    Month,
    Year,
}

impl Unit {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "today" | "startofday" => Self::Day,
            "startofweek" => Self::Week,
            "startofmonth" => Self::Month,
            "startofyear" => Self::Year,
            _ => return None,
        })
    }

    /// The first day of the one that the day lies in; weeks begin on Sunday.
    fn start(self, day: Date) -> Date {
        match self {
            Self::Day => day,
            Self::Week => {
                let passed = day.weekday().since(Weekday::Sunday);
                day.saturating_sub(passed.days())
            }
            Self::Month => day.first_of_month(),
            Self::Year => day.first_of_year(),
        }
    }

    fn span(self, count: i64) -> Result<Span, jiff::Error> {
        match self {
            Self::Day => Span::new().try_days(count),
            Self::Week => Span::new().try_weeks(count),
            Self::Month => Span::new().try_months(count),
            Self::Year => Span::new().try_years(count),
        }
    }
}

impl Parser<'_> {
    pub(super) fn macro_value(&mut self, name: &str) -> Result<Operand, ApiError> {
        if let Some(unit) = Unit::of(name) {
            let moved = self.offset()?;
            let start = unit.start(self.organization.clock.now().to_zoned(TimeZone::UTC).date());
            let midnight = unit
                .span(moved)
                .and_then(|span| start.checked_add(span))
                .and_then(|day| day.to_zoned(TimeZone::UTC))
                .map_err(error)?;
            return Ok(Operand::Date(midnight.timestamp()));
        }
        let text = match name {
            "project" => self
                .call
                .project(self.organization)
                .map_err(|_| error("the macro @project needs a project"))?
                .name
                .clone(),
            "me" => self.call.identity.person.combined(),
            "currentiteration" => self.current_iteration()?,
            other => return Err(error(format!("the macro @{other} is not supported"))),
        };
        Ok(Operand::Text(text))
    }

    /// `- 3` or `+ 3` after a macro; nothing is 0.
    fn offset(&mut self) -> Result<i64, ApiError> {
        let sign = if self.symbol("-") {
            -1
        } else if self.symbol("+") {
            1
        } else {
            return Ok(0);
        };
        match self.next()? {
            Token::Number(text) => text.parse::<i64>().map(|count| sign * count).map_err(error),
            other => Err(error(format!("{other:?} is not a number to count by"))),
        }
    }

    /// `@CurrentIteration[('[Project]\Team')] [± n]`: the iteration that today lies in, or one so many before or after it.
    fn current_iteration(&mut self) -> Result<String, ApiError> {
        let named = if self.symbol("(") {
            let Token::Text(text) = self.next()? else {
                return Err(error("expected the name of a team"));
            };
            self.expect(")")?;
            Some(text)
        } else {
            None
        };
        let moved = self.offset()?;
        let project = self.team(named.as_deref())?.project;
        let nodes = &self.organization.wit.nodes;
        let now = self.organization.clock.now();
        let sprints = nodes.sprints(project);
        let current = sprints.iter().position(|sprint| sprint.holds(now));
        current
            .and_then(|at| at.checked_add_signed(isize::try_from(moved).ok()?))
            .and_then(|at| sprints.get(at))
            .map(|sprint| nodes.field_path(sprint.node))
            .ok_or_else(|| error("the team has no such iteration"))
    }

    /// What `IN GROUP` names: the types of a category, or the people of a team.
    pub(super) fn group(&self, name: &str) -> Result<Vec<Operand>, ApiError> {
        let mut names: Vec<String> = types::of_category(name).map(str::to_owned).collect();
        if names.is_empty() {
            let people = self.team(Some(name))?.members.iter();
            names.extend(people.map(|member| member.person.combined()));
        }
        Ok(names.into_iter().map(Operand::Text).collect())
    }

    /// The team of `[Project]\Team <id:…>`, or that of the address.
    fn team(&self, named: Option<&str>) -> Result<&Team, ApiError> {
        let (project, team) = match named {
            Some(named) => named
                .split(" <id:")
                .next()
                .and_then(|name| name.trim().strip_prefix('[')?.split_once("]\\"))
                .ok_or_else(|| error(format!("{named} is not the name of a team")))?,
            None => self
                .call
                .project
                .as_deref()
                .zip(self.call.team.as_deref())
                .ok_or_else(|| {
                    ApiError::bad_request(
                        "VS402612: The macro '@CurrentIteration' is not supported without a team context.",
                    )
                })?,
        };
        self.organization.team(project, team)
    }
}
