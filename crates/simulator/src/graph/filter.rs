//! `$filter`: the part of the `OData` language that directories and sites understand.

use serde_json::{Map, Value, json};

use super::error::GraphError;

/// A condition on objects.
#[derive(Debug)]
pub(super) enum Filter {
    All(Vec<Self>),
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Path, Comparison, Value),
    StartsWith(Path, String),
    EndsWith(Path, String),
    /// An element of a list fits; without a condition it is enough that there is one.
    Some(Path, Option<(String, Box<Self>)>),
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// Names with slashes between them; `$count` at the end stands for the length of a list.
pub(super) type Path = Vec<String>;

/// What names stand for: the object, and the elements that conditions on lists name.
struct Scope<'a> {
    object: &'a Value,
    element: Option<(&'a str, &'a Value)>,
}

impl Filter {
    pub(super) fn parse(text: &str) -> Result<Self, GraphError> {
        let refuse = || {
            GraphError::bad_request(format!(
                "Invalid filter clause: the syntax of '{text}' is not understood."
            ))
        };
        let tokens = tokens(text).ok_or_else(refuse)?;
        let mut reader = Reader { tokens, at: 0 };
        let filter = reader.any().ok_or_else(refuse)?;
        if reader.at == reader.tokens.len() {
            Ok(filter)
        } else {
            Err(refuse())
        }
    }

    pub(super) fn fits(&self, object: &Map<String, Value>) -> bool {
        // Objects are small; the copy lets elements of lists, which are no maps, be looked at in the same way.
        let object = Value::Object(object.clone());
        self.holds(&Scope {
            object: &object,
            element: None,
        })
    }

    fn holds(&self, scope: &Scope<'_>) -> bool {
        match self {
            Self::All(parts) => parts.iter().all(|part| part.holds(scope)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(scope)),
            Self::Not(part) => !part.holds(scope),
            Self::Compare(path, comparison, wanted) => comparison.holds(&scope.value(path), wanted),
            Self::StartsWith(path, text) => {
                scope.text(path).is_some_and(|own| own.starts_with(text))
            }
            Self::EndsWith(path, text) => scope.text(path).is_some_and(|own| own.ends_with(text)),
            Self::Some(path, condition) => {
                let list = scope.value(path);
                let mut elements = list.as_array().into_iter().flatten();
                elements.any(|element| {
                    condition.as_ref().is_none_or(|(name, inner)| {
                        inner.holds(&Scope {
                            object: scope.object,
                            element: Some((name, element)),
                        })
                    })
                })
            }
        }
    }

    /// Whether the directory answers it only from the index that lags behind: `not`, `ne`, `endsWith` and counts.
    pub(super) fn is_advanced(&self) -> bool {
        let counts = |path: &[String]| path.last().is_some_and(|last| last == "$count");
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(Self::is_advanced),
            Self::Not(_) | Self::EndsWith(..) => true,
            Self::Compare(path, comparison, _) => {
                *comparison == Comparison::NotEqual || counts(path)
            }
            Self::StartsWith(..) => false,
            Self::Some(_, condition) => condition
                .as_ref()
                .is_some_and(|(_, inner)| inner.is_advanced()),
        }
    }

    /// The ids that it lets through, if it is nothing but these.
    pub(super) fn ids(&self) -> Option<Vec<String>> {
        match self {
            Self::Any(parts) => {
                let all: Option<Vec<Vec<String>>> = parts.iter().map(Self::ids).collect();
                all.map(|all| all.concat())
            }
            Self::Compare(path, Comparison::Equal, Value::String(id)) if path[..] == ["id"] => {
                Some(vec![id.clone()])
            }
            _ => None,
        }
    }

    /// The members of objects that it asks for.
    pub(super) fn members(&self) -> Vec<&str> {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::members).collect(),
            Self::Not(part) => part.members(),
            Self::Compare(path, ..)
            | Self::StartsWith(path, _)
            | Self::EndsWith(path, _)
            | Self::Some(path, _) => vec![path[0].as_str()],
        }
    }
}

impl Comparison {
    fn parse(name: &str) -> Option<Self> {
        Some(match name.to_lowercase().as_str() {
            "eq" => Self::Equal,
            "ne" => Self::NotEqual,
            "gt" => Self::Greater,
            "ge" => Self::GreaterOrEqual,
            "lt" => Self::Less,
            "le" => Self::LessOrEqual,
            _ => return None,
        })
    }

    /// Texts are compared without regard to case, times as the texts that they are.
    fn holds(self, own: &Value, wanted: &Value) -> bool {
        let order = match (own, wanted) {
            (Value::String(own), Value::String(wanted)) => {
                Some(own.to_lowercase().cmp(&wanted.to_lowercase()))
            }
            (Value::Number(own), Value::Number(wanted)) => own
                .as_f64()
                .zip(wanted.as_f64())
                .and_then(|(own, wanted)| own.partial_cmp(&wanted)),
            (own, wanted) if own == wanted => Some(std::cmp::Ordering::Equal),
            _ => None,
        };
        match self {
            Self::Equal => order.is_some_and(std::cmp::Ordering::is_eq),
            Self::NotEqual => !order.is_some_and(std::cmp::Ordering::is_eq),
            Self::Greater => order.is_some_and(std::cmp::Ordering::is_gt),
            Self::GreaterOrEqual => order.is_some_and(std::cmp::Ordering::is_ge),
            Self::Less => order.is_some_and(std::cmp::Ordering::is_lt),
            Self::LessOrEqual => order.is_some_and(std::cmp::Ordering::is_le),
        }
    }
}

impl Scope<'_> {
    /// What is not there is null.
    fn value(&self, path: &[String]) -> Value {
        let (mut value, mut names) = (self.object, path);
        if let Some((name, element)) = self.element
            && names.first().is_some_and(|first| first == name)
        {
            (value, names) = (element, &names[1..]);
        }
        for name in names {
            if name == "$count" {
                return json!(value.as_array().map_or(0, Vec::len));
            }
            let member = value.as_object().and_then(|members| {
                let mut members = members.iter();
                members.find(|(own, _)| own.eq_ignore_ascii_case(name))
            });
            let Some((_, member)) = member else {
                return Value::Null;
            };
            value = member;
        }
        value.clone()
    }

    fn text(&self, path: &[String]) -> Option<String> {
        Some(self.value(path).as_str()?.to_lowercase())
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    /// A name, an operator, or a value without quotes.
    Word(String),
    Text(String),
    Open,
    Close,
    Comma,
    Colon,
}

/// Nothing if a text does not end.
fn tokens(text: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        tokens.push(match letter {
            ' ' => continue,
            '(' => Token::Open,
            ')' => Token::Close,
            ',' => Token::Comma,
            ':' => Token::Colon,
            '\'' => {
                let mut inner = String::new();
                loop {
                    match letters.next()? {
                        // Two stand for one.
                        '\'' if letters.peek() == Some(&'\'') => {
                            letters.next();
                            inner.push('\'');
                        }
                        '\'' => break,
                        other => inner.push(other),
                    }
                }
                Token::Text(inner)
            }
            first => {
                let mut word = String::from(first);
                // Times have colons of their own.
                let timed = first.is_ascii_digit();
                while let Some(next) =
                    letters.next_if(|next| !" (),'".contains(*next) && (timed || *next != ':'))
                {
                    word.push(next);
                }
                Token::Word(word)
            }
        });
    }
    Some(tokens)
}

struct Reader {
    tokens: Vec<Token>,
    at: usize,
}

impl Reader {
    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, token: &Token) -> Option<()> {
        let found = self.tokens.get(self.at) == Some(token);
        found.then(|| self.at += 1)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = matches!(self.tokens.get(self.at), Some(Token::Word(own)) if own.eq_ignore_ascii_case(word));
        self.at += usize::from(found);
        found
    }

    fn any(&mut self) -> Option<Filter> {
        let mut parts = vec![self.all()?];
        while self.take_word("or") {
            parts.push(self.all()?);
        }
        Some(one_or(parts, Filter::Any))
    }

    fn all(&mut self) -> Option<Filter> {
        let mut parts = vec![self.one()?];
        while self.take_word("and") {
            parts.push(self.one()?);
        }
        Some(one_or(parts, Filter::All))
    }

    fn one(&mut self) -> Option<Filter> {
        if self.take_word("not") {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.take(&Token::Open).is_some() {
            let inner = self.any()?;
            self.take(&Token::Close)?;
            return Some(inner);
        }
        let Token::Word(word) = self.next()? else {
            return None;
        };
        match word.to_lowercase().as_str() {
            "startswith" => self.with_text(Filter::StartsWith),
            "endswith" => self.with_text(Filter::EndsWith),
            lower if lower.ends_with("/any") => self.element(&word[..word.len() - "/any".len()]),
            _ => self.comparison(path(&word)?),
        }
    }

    /// `(displayName,'Ad')`.
    fn with_text(&mut self, make: fn(Path, String) -> Filter) -> Option<Filter> {
        self.take(&Token::Open)?;
        let Token::Word(name) = self.next()? else {
            return None;
        };
        self.take(&Token::Comma)?;
        let Token::Text(text) = self.next()? else {
            return None;
        };
        self.take(&Token::Close)?;
        Some(make(path(&name)?, text.to_lowercase()))
    }

    /// `(x:x eq 'Unified')`, or `()`.
    fn element(&mut self, list: &str) -> Option<Filter> {
        self.take(&Token::Open)?;
        let list = path(list)?;
        if self.take(&Token::Close).is_some() {
            return Some(Filter::Some(list, None));
        }
        let Token::Word(name) = self.next()? else {
            return None;
        };
        self.take(&Token::Colon)?;
        let inner = self.any()?;
        self.take(&Token::Close)?;
        Some(Filter::Some(list, Some((name, Box::new(inner)))))
    }

    /// ` eq 'x'`, or ` in ('x','y')`.
    fn comparison(&mut self, path: Path) -> Option<Filter> {
        if self.take_word("in") {
            self.take(&Token::Open)?;
            let mut parts = Vec::new();
            loop {
                parts.push(Filter::Compare(
                    path.clone(),
                    Comparison::Equal,
                    self.value()?,
                ));
                if self.take(&Token::Comma).is_none() {
                    break;
                }
            }
            self.take(&Token::Close)?;
            return Some(one_or(parts, Filter::Any));
        }
        let Token::Word(operator) = self.next()? else {
            return None;
        };
        let comparison = Comparison::parse(&operator)?;
        Some(Filter::Compare(path, comparison, self.value()?))
    }

    /// Times and ids come without quotes.
    fn value(&mut self) -> Option<Value> {
        Some(match self.next()? {
            Token::Text(text) => Value::String(text),
            Token::Word(word) => match word.as_str() {
                "true" => json!(true),
                "false" => json!(false),
                "null" => Value::Null,
                other => other
                    .parse::<i64>()
                    .map_or_else(|_| json!(other), |number| json!(number)),
            },
            _ => return None,
        })
    }
}

fn one_or(mut parts: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

fn path(text: &str) -> Option<Path> {
    let path: Path = text.split('/').map(str::to_owned).collect();
    path.iter().all(|name| !name.is_empty()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(filter: &str) -> bool {
        let object = json!({
            "id": "u1",
            "displayName": "Zoë and Co's",
            "accountEnabled": true,
            "createdDateTime": "2024-02-12T09:30:00Z",
            "groupTypes": ["Unified"],
            "assignedLicenses": [{"skuId": "06ebc4ee"}],
            "siteCollection": {"root": {}},
            "mail": null,
        });
        Filter::parse(filter)
            .unwrap()
            .fits(object.as_object().unwrap())
    }

    /// The examples of learn.microsoft.com, Use the $filter query parameter.
    #[test]
    fn conditions_combine_as_the_language_says() {
        for yes in [
            "startswith(displayName,'zoë')",
            "displayName eq 'Zoë and Co''s' and accountEnabled eq true",
            "accountEnabled eq false or not(mail ne null)",
            "accountEnabled eq false and mail eq null or id in ('x','u1')",
            "groupTypes/any(c:c eq 'Unified')",
            "assignedLicenses/any(x:x/skuId eq 06ebc4ee)",
            "assignedLicenses/$count ne 0",
            "createdDateTime ge 2024-02-12T09:00:00Z and createdDateTime lt 2025-01-01T00:00:00Z",
            "endsWith(displayName,'CO''S')",
            "siteCollection/root ne null",
        ] {
            assert!(fits(yes), "{yes}");
        }
        for no in [
            "accountEnabled eq false and (mail eq null or id eq 'u1')",
            "groupTypes/any(c:c eq 'Other')",
            "mail eq 'x'",
            "createdDateTime gt 2024-02-12T09:30:00Z",
            "not startswith(displayName,'Zoë')",
        ] {
            assert!(!fits(no), "{no}");
        }
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_ignored() {
        for wrong in [
            "displayName",
            "displayName eq 'x",
            "displayName eq 'x' and",
            "(displayName eq 'x'",
            "displayName is 'x'",
            "startswith(displayName)",
            "displayName eq 'x' 'y'",
            "id in ('x'",
            "",
        ] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn only_ids_are_told_apart_from_other_conditions() {
        let ids = |text: &str| Filter::parse(text).unwrap().ids();
        assert_eq!(
            ids("id eq 'a' or id eq 'b'"),
            Some(vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(ids("id eq 'a' or mail eq 'b'"), None);
        assert_eq!(ids("id ne 'a'"), None);
    }
}
