//! What somebody looks for: words, `"phrases"`, `-exclusions` and `beginnings*`. There is no text that is no query.

use super::words::{named_words, words};

/// More than anyone types.
const MOST: usize = 16;
const LONGEST: usize = 1000;

/// Words that all have to be there, and words that must not be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    pub(crate) all: Vec<Term>,
    pub(crate) none: Vec<Term>,
}

/// Words that follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Term {
    pub(crate) words: Vec<String>,
    /// The last one is the beginning of a word.
    pub(crate) prefix: bool,
}

/// Where a query has to match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The name has every word; what is excluded is in neither name nor text.
    Named,
    /// Name and text together, but not the name alone.
    Rest,
    /// Either of them.
    Any,
    /// The name; the text is not looked at, not even for what is excluded.
    NameAlone,
}

impl Query {
    pub fn parse(text: &str) -> Self {
        let end = text
            .char_indices()
            .nth(LONGEST)
            .map_or(text.len(), |(at, _)| at);
        let mut rest = text[..end].trim_start();
        let mut query = Self::default();
        while !rest.is_empty() && query.all.len() + query.none.len() < MOST {
            let (excluded, after) = match rest.strip_prefix('-') {
                Some(after) => (true, after),
                None => (false, rest),
            };
            let (written, after) = if let Some(quoted) = after.strip_prefix('"') {
                quoted.split_once('"').unwrap_or((quoted, ""))
            } else {
                let end = after.find(|char: char| char.is_whitespace() || char == '"');
                after.split_at(end.unwrap_or(after.len()))
            };
            let (starred, after) = match after.strip_prefix('*') {
                Some(after) => (true, after),
                None => (written.ends_with('*'), after),
            };
            if let Some(term) = Term::of(written, starred) {
                let terms = if excluded {
                    &mut query.none
                } else {
                    &mut query.all
                };
                terms.push(term);
            }
            rest = after.trim_start();
        }
        query
    }

    /// All words of a name, in any order; the last one is still being typed.
    pub(crate) fn of_name(name: &str) -> Self {
        let written = words(name).take(MOST).map(|word| word.text);
        let mut all: Vec<Term> = written.filter_map(|word| Term::of(&word, false)).collect();
        if let Some(last) = all.last_mut() {
            last.prefix = last.words.iter().all(|word| word.chars().nth(1).is_some());
        }
        Self {
            all,
            none: Vec::new(),
        }
    }

    /// Whether an item of this name and id has every word, as the index would find it by [`Part::NameAlone`].
    pub(crate) fn is_of(&self, name: &str, id: &str) -> bool {
        let words = named_words(name, id);
        let from = |at: usize| words[at..].iter().map(String::as_str);
        let has = |term: &Term| (0..words.len()).any(|at| term.is_at(from(at)));
        self.all.iter().all(has) && !self.none.iter().any(has)
    }

    /// Nothing is looked for: there is no word, or only words that must not be there.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }
}

impl Term {
    fn of(written: &str, starred: bool) -> Option<Self> {
        let words: Vec<String> = words(written).take(MOST).map(|word| word.text).collect();
        let last = words.last()?;
        // What begins with two letters is a large part of everything.
        let prefix = starred && last.chars().nth(2).is_some();
        Some(Self { words, prefix })
    }

    /// Whether the words of a text go on with this.
    pub(crate) fn is_at<'w>(&self, mut text: impl Iterator<Item = &'w str>) -> bool {
        let last = self.words.len() - 1;
        self.words.iter().enumerate().all(|(at, word)| {
            let is = |found: &str| {
                found == word || (self.prefix && at == last && found.starts_with(word.as_str()))
            };
            text.next().is_some_and(is)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn term(words: &[&str], prefix: bool) -> Term {
        Term {
            words: words.iter().map(|&word| word.to_owned()).collect(),
            prefix,
        }
    }

    #[test]
    fn words_phrases_exclusions_and_beginnings() {
        assert_eq!(
            Query::parse(" Log in  \"Two Words\" -no -\"not this\" pay* sign-in \"half open*"),
            Query {
                all: vec![
                    term(&["log"], false),
                    term(&["in"], false),
                    term(&["two", "words"], false),
                    term(&["pay"], true),
                    term(&["sign", "in"], false),
                    term(&["half", "open"], true),
                ],
                none: vec![term(&["no"], false), term(&["not", "this"], false)],
            }
        );
        assert_eq!(Query::parse("\"a b\"*").all, [term(&["a", "b"], false)]);
        assert_eq!(Query::parse("\"a bcd\"*").all, [term(&["a", "bcd"], true)]);
        assert_eq!(Query::parse("bc*").all, [term(&["bc"], false)]);
    }

    #[test]
    fn what_has_no_word_is_empty() {
        for text in [
            "",
            " ",
            "\"",
            "\"\"",
            "-",
            "--",
            "*",
            "- \"*\" -",
            "'; --",
            "-only -this",
            "\0",
        ] {
            assert!(Query::parse(text).is_empty(), "{text:?}");
        }
    }

    #[test]
    fn nobody_asks_for_more_than_a_few_words() {
        assert_eq!(Query::parse(&"a ".repeat(5000)).all.len(), MOST);
        assert_eq!(Query::parse(&"a-".repeat(400)).all[0].words.len(), MOST);
    }
}
