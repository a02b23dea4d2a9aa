//! From words to a tree of conditions.

mod macros;

use jiff::Timestamp;

use super::lex::{Token, tokens};
use super::{error, no_from};
use crate::server::{ApiError, Call};
use crate::wit::fields::{FieldId, Fields, Kind};
use crate::wit::value::parse_date;
use crate::world::Organization;

/// Whose field a condition looks at.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Side {
    /// The item of a flat query, the source of a query for links.
    Source,
    Target,
}

#[derive(Debug)]
pub(super) enum Condition {
    And(Vec<Self>),
    Or(Vec<Self>),
    Not(Box<Self>),
    Test {
        side: Side,
        field: FieldId,
        operator: Operator,
        values: Vec<Operand>,
    },
    /// `[System.Links.LinkType]`.
    LinkType {
        not: bool,
        names: Vec<String>,
    },
    Always,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Operator {
    Equal,
    NotEqual,
    Less,
    Greater,
    LessOrEqual,
    GreaterOrEqual,
    In,
    InGroup,
    Contains,
    ContainsWords,
    Under,
    Ever,
    IsEmpty,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Text(String),
    Number(f64),
    Date(Timestamp),
    Field(FieldId),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum LinkMode {
    /// Sources that have such links, with them.
    Must,
    /// All sources, with such links.
    May,
    /// Sources without such links.
    Without,
    /// Sources, and below them all that such links lead to, each once.
    Recursive,
}

#[derive(Debug)]
pub(super) struct Query {
    pub columns: Vec<FieldId>,
    pub links: Option<LinkMode>,
    pub condition: Condition,
    /// Field and whether it is descending.
    pub order: Vec<(FieldId, bool)>,
    pub as_of: Option<Timestamp>,
    /// Dates are compared by day unless this is set.
    pub time_precision: bool,
}

pub(super) fn parse(
    organization: &Organization,
    call: &Call,
    text: &str,
) -> Result<Query, ApiError> {
    let tokens = tokens(text).map_err(error)?;
    let mut parser = Parser {
        organization,
        call,
        tokens,
        at: 0,
        time_precision: call.query.flag("timePrecision"),
    };
    let query = parser.query()?;
    if parser.at < parser.tokens.len() {
        return Err(error(format!("unexpected {:?}", parser.tokens[parser.at])));
    }
    Ok(query)
}

struct Parser<'a> {
    organization: &'a Organization,
    call: &'a Call,
    tokens: Vec<Token>,
    at: usize,
    time_precision: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn next(&mut self) -> Result<Token, ApiError> {
        let token = self
            .tokens
            .get(self.at)
            .cloned()
            .ok_or_else(|| error("it ends too early"))?;
        self.at += 1;
        Ok(token)
    }

    /// Takes the words if they come next.
    fn take(&mut self, words: &[&str]) -> bool {
        let matches = words.iter().enumerate().all(|(offset, word)| matches!(self.tokens.get(self.at + offset), Some(Token::Word(own)) if own.eq_ignore_ascii_case(word)));
        if matches {
            self.at += words.len();
        }
        matches
    }

    fn symbol(&mut self, symbol: &str) -> bool {
        let matches = matches!(self.peek(), Some(Token::Symbol(own)) if *own == symbol);
        self.at += usize::from(matches);
        matches
    }

    fn expect(&mut self, symbol: &str) -> Result<(), ApiError> {
        if self.symbol(symbol) {
            Ok(())
        } else {
            Err(error(format!("expected {symbol}")))
        }
    }

    fn query(&mut self) -> Result<Query, ApiError> {
        if !self.take(&["SELECT"]) {
            return Err(error("expected SELECT"));
        }
        let mut columns = vec![self.sided_name()?.1];
        while self.symbol(",") {
            columns.push(self.sided_name()?.1);
        }
        if !self.take(&["FROM"]) {
            return Err(no_from(self.peek()));
        }
        let columns = columns.iter().map(|name| self.field(name));
        let columns = columns.collect::<Result<_, _>>()?;
        let is_links = self.take(&["WorkItemLinks"]);
        if !is_links && !self.take(&["WorkItems"]) {
            return Err(error("expected WorkItems or WorkItemLinks"));
        }
        let condition = if self.take(&["WHERE"]) {
            self.or()?
        } else {
            Condition::Always
        };
        let mut order = Vec::new();
        if self.take(&["ORDER", "BY"]) {
            loop {
                let (_, field) = self.sided_field()?;
                let descending = self.take(&["DESC"]);
                self.take(&["ASC"]);
                order.push((field, descending));
                if !self.symbol(",") {
                    break;
                }
            }
        }
        let mut links = is_links.then_some(LinkMode::Must);
        let mut as_of = None;
        loop {
            if self.take(&["ASOF"]) {
                as_of = Some(self.moment()?);
            } else if self.take(&["MODE"]) {
                links = Some(self.mode()?);
            } else {
                break;
            }
        }
        Ok(Query {
            columns,
            links,
            condition,
            order,
            as_of,
            time_precision: self.time_precision,
        })
    }

    /// A date with or without a time, or a macro that stands for one.
    fn moment(&mut self) -> Result<Timestamp, ApiError> {
        match self.next()? {
            Token::Text(text) => {
                parse_date(&text).ok_or_else(|| error(format!("{text} is not a date")))
            }
            Token::Macro(name) => match self.macro_value(&name)? {
                Operand::Date(date) => Ok(date),
                _ => Err(error(format!("@{name} is not a date"))),
            },
            other => Err(error(format!("{other:?} is not a date"))),
        }
    }

    fn mode(&mut self) -> Result<LinkMode, ApiError> {
        self.expect("(")?;
        let mut mode = LinkMode::Must;
        while !self.symbol(")") {
            match self.next()? {
                Token::Word(word) if word.eq_ignore_ascii_case("MayContain") => {
                    mode = LinkMode::May;
                }
                Token::Word(word) if word.eq_ignore_ascii_case("DoesNotContain") => {
                    mode = LinkMode::Without;
                }
                Token::Word(word) if word.eq_ignore_ascii_case("MustContain") => {
                    mode = LinkMode::Must;
                }
                Token::Word(word) if word.eq_ignore_ascii_case("Recursive") => {
                    mode = LinkMode::Recursive;
                }
                Token::Symbol(",") => {}
                other => return Err(error(format!("the mode {other:?} is not supported"))),
            }
        }
        Ok(mode)
    }

    fn field(&self, name: &str) -> Result<FieldId, ApiError> {
        let fields = &self.organization.wit.fields;
        fields.find(name).ok_or_else(|| Fields::unknown(name))
    }

    fn sided_field(&mut self) -> Result<(Side, FieldId), ApiError> {
        let (side, name) = self.sided_name()?;
        Ok((side, self.field(&name)?))
    }

    /// `[System.Id]`, `System.Id`, `[Source].[System.Id]` or `[Target].[System.Id]`.
    fn sided_name(&mut self) -> Result<(Side, String), ApiError> {
        let name = self.name()?;
        let side = match name.to_lowercase().as_str() {
            "source" => Side::Source,
            "target" => Side::Target,
            _ => return Ok((Side::Source, name)),
        };
        if self.symbol(".") {
            Ok((side, self.name()?))
        } else {
            Ok((Side::Source, name))
        }
    }

    fn name(&mut self) -> Result<String, ApiError> {
        match self.next()? {
            Token::Field(name) | Token::Word(name) => Ok(name),
            other => Err(error(format!("{other:?} is not a field"))),
        }
    }

    fn or(&mut self) -> Result<Condition, ApiError> {
        let mut all = vec![self.and()?];
        while self.take(&["OR"]) {
            all.push(self.and()?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Condition::Or(all)
        })
    }

    fn and(&mut self) -> Result<Condition, ApiError> {
        let mut all = vec![self.not()?];
        while self.take(&["AND"]) {
            all.push(self.not()?);
        }
        Ok(if all.len() == 1 {
            all.remove(0)
        } else {
            Condition::And(all)
        })
    }

    fn not(&mut self) -> Result<Condition, ApiError> {
        if self.take(&["NOT"]) {
            return Ok(Condition::Not(Box::new(self.not()?)));
        }
        if self.symbol("(") {
            let inner = self.or()?;
            self.expect(")")?;
            return Ok(inner);
        }
        self.test()
    }

    fn test(&mut self) -> Result<Condition, ApiError> {
        if matches!(self.peek(), Some(Token::Field(name) | Token::Word(name)) if name.eq_ignore_ascii_case("System.Links.LinkType"))
        {
            self.at += 1;
            let (operator, not) = self.operator()?;
            let names = self.operands(operator, Kind::String)?;
            let names = names
                .into_iter()
                .filter_map(|name| {
                    if let Operand::Text(text) = name {
                        Some(text)
                    } else {
                        None
                    }
                })
                .collect();
            return Ok(Condition::LinkType {
                not: not || operator == Operator::NotEqual,
                names,
            });
        }
        let (side, field) = self.sided_field()?;
        let (operator, not) = self.operator()?;
        let values = self.operands(operator, self.organization.wit.fields.get(field).kind)?;
        let test = Condition::Test {
            side,
            field,
            operator,
            values,
        };
        Ok(if not {
            Condition::Not(Box::new(test))
        } else {
            test
        })
    }

    /// The operator and whether it is negated.
    fn operator(&mut self) -> Result<(Operator, bool), ApiError> {
        const SYMBOLS: [(&str, Operator); 6] = [
            ("=", Operator::Equal),
            ("<>", Operator::NotEqual),
            ("<=", Operator::LessOrEqual),
            (">=", Operator::GreaterOrEqual),
            ("<", Operator::Less),
            (">", Operator::Greater),
        ];
        if let Some((_, operator)) = SYMBOLS.iter().find(|(symbol, _)| self.symbol(symbol)) {
            return Ok((*operator, false));
        }
        if self.take(&["IS", "NOT", "EMPTY"]) {
            return Ok((Operator::IsEmpty, true));
        }
        if self.take(&["IS", "EMPTY"]) {
            return Ok((Operator::IsEmpty, false));
        }
        if self.take(&["WAS", "EVER"]) || self.take(&["EVER"]) {
            self.symbol("=");
            return Ok((Operator::Ever, false));
        }
        let not = self.take(&["NOT"]);
        let operator = if self.take(&["IN", "GROUP"]) {
            Operator::InGroup
        } else if self.take(&["IN"]) {
            Operator::In
        } else if self.take(&["CONTAINS", "WORDS"]) {
            Operator::ContainsWords
        } else if self.take(&["CONTAINS"]) {
            Operator::Contains
        } else if self.take(&["UNDER"]) {
            Operator::Under
        } else {
            return Err(error(format!("{:?} is not an operator", self.peek())));
        };
        Ok((operator, not))
    }

    fn operands(&mut self, operator: Operator, kind: Kind) -> Result<Vec<Operand>, ApiError> {
        match operator {
            Operator::IsEmpty => Ok(Vec::new()),
            Operator::InGroup => match self.next()? {
                Token::Text(name) => self.group(&name),
                other => Err(error(format!("{other:?} is not the name of a group"))),
            },
            Operator::In => {
                self.expect("(")?;
                let mut values = vec![self.operand(kind)?];
                while self.symbol(",") {
                    values.push(self.operand(kind)?);
                }
                self.expect(")")?;
                Ok(values)
            }
            _ => Ok(vec![self.operand(kind)?]),
        }
    }

    fn operand(&mut self, kind: Kind) -> Result<Operand, ApiError> {
        let negative = self.symbol("-");
        match self.next()? {
            Token::Number(text) => {
                let number: f64 = text
                    .parse()
                    .map_err(|_| error(format!("{text} is not a number")))?;
                Ok(Operand::Number(if negative { -number } else { number }))
            }
            Token::Text(text) => self.text(text, kind),
            Token::Macro(name) => self.macro_value(&name),
            Token::Field(name) => self.field(&name).map(Operand::Field),
            Token::Word(word) if matches!(word.to_lowercase().as_str(), "true" | "false") => {
                Ok(Operand::Text(word))
            }
            other => Err(error(format!("{other:?} is not a value"))),
        }
    }

    fn text(&self, text: String, kind: Kind) -> Result<Operand, ApiError> {
        match kind {
            _ if text.is_empty() => Ok(Operand::Text(text)),
            Kind::DateTime => {
                let date =
                    parse_date(&text).ok_or_else(|| error(format!("{text} is not a date")))?;
                if !self.time_precision && date != day(date) {
                    return Err(error(
                        "you cannot supply a time with the date when running a query using date precision",
                    ));
                }
                Ok(Operand::Date(date))
            }
            Kind::Integer | Kind::Double => text
                .parse()
                .map(Operand::Number)
                .map_err(|_| error(format!("{text} is not a number"))),
            _ => Ok(Operand::Text(text)),
        }
    }
}

/// The start of the day, in UTC.
pub(super) fn day(date: Timestamp) -> Timestamp {
    let seconds = date.as_second();
    Timestamp::from_second(seconds - seconds.rem_euclid(86_400)).unwrap_or(date)
}
