//! Words of a query.

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A keyword or a bare field name, as written.
    Word(String),
    /// `[System.Id]`.
    Field(String),
    /// `'text'` or `"text"`.
    Text(String),
    Number(String),
    /// `@project`.
    Macro(String),
    /// One of `= <> < > <= >= ( ) , . + -`.
    Symbol(&'static str),
}

impl std::fmt::Display for Token {
    /// As in the query, but for quotes and brackets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Word(text) | Self::Field(text) | Self::Text(text) | Self::Number(text) => {
                f.write_str(text)
            }
            Self::Macro(name) => write!(f, "@{name}"),
            Self::Symbol(symbol) => f.write_str(symbol),
        }
    }
}

const SYMBOLS: [&str; 12] = [
    "<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "+", "-",
];

/// The error names what is wrong.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, length) = match first {
            '\'' | '"' => quoted(rest, first)?,
            '[' => {
                let end = rest
                    .find(']')
                    .ok_or("a field name has no closing bracket")?;
                (Token::Field(rest[1..end].trim().to_owned()), end + 1)
            }
            '@' => {
                let end = 1 + span(&rest[1..], char::is_alphanumeric);
                (Token::Macro(rest[1..end].to_lowercase()), end)
            }
            _ if first.is_ascii_digit() => {
                let end = span(rest, |character| {
                    character.is_ascii_digit() || character == '.'
                });
                (Token::Number(rest[..end].to_owned()), end)
            }
            _ if first.is_alphabetic() || first == '_' => {
                let end = span(rest, |character| {
                    character.is_alphanumeric() || matches!(character, '_' | '.')
                });
                (Token::Word(rest[..end].to_owned()), end)
            }
            _ => {
                let symbol = SYMBOLS
                    .iter()
                    .find(|symbol| rest.starts_with(**symbol))
                    .ok_or_else(|| format!("unexpected character {first}"))?;
                (Token::Symbol(symbol), symbol.len())
            }
        };
        found.push(token);
        rest = rest[length..].trim_start();
    }
    Ok(found)
}

fn span(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    text.find(|character| !is_part(character))
        .unwrap_or(text.len())
}

/// A quote inside is written twice.
fn quoted(rest: &str, quote: char) -> Result<(Token, usize), String> {
    let mut text = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character != quote {
            text.push(character);
        } else if characters.peek().is_some_and(|(_, next)| *next == quote) {
            text.push(quote);
            characters.next();
        } else {
            return Ok((Token::Text(text), at + 1));
        }
    }
    Err("a text has no closing quote".to_owned())
}
