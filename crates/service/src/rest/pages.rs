//! The pages of a list, one after the other.

#[cfg(test)]
mod fuzz;

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::{List, Paging, PartList, read};
use crate::http::{Answer, segment};
use crate::{Client, Error, Result, Scope};

/// Reads a list page by page. After the last page there is no request to find out that it was the last, unless the paging demands it.
pub struct Pages<'a> {
    http: &'a Client,
    host: &'static str,
    path: String,
    query: Vec<(&'static str, String)>,
    version: &'static str,
    paging: Paging,
    next: Next,
    /// Tokens that were used: a service that gives one again would do so for ever.
    used: HashSet<String>,
    /// The first item of the page before: a service that ignores `$skip` would give it again for ever.
    first: String,
}

enum Next {
    Start,
    Skip(u64),
    Token(String),
    End,
}

impl<'a> Pages<'a> {
    pub fn new(http: &'a Client, list: &List, scope: &Scope) -> Self {
        let query = list
            .query
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        Self::over(
            http,
            list.host,
            fill(list.path, scope, ""),
            query,
            list.version,
            list.paging,
        )
    }

    pub(super) fn of_part(
        http: &'a Client,
        host: &'static str,
        part: &PartList,
        scope: &Scope,
        id: &str,
    ) -> Self {
        Self::over(
            http,
            host,
            fill(part.path, scope, id),
            Vec::new(),
            part.version,
            part.paging,
        )
    }

    /// Any list; `path` is percent-encoded already.
    pub fn over(
        http: &'a Client,
        host: &'static str,
        path: String,
        query: Vec<(&'static str, String)>,
        version: &'static str,
        paging: Paging,
    ) -> Self {
        Self {
            http,
            host,
            path,
            query,
            version,
            paging,
            next: Next::Start,
            used: HashSet::new(),
            first: String::new(),
        }
    }

    /// The next page, `None` after the last one. An error is final: the list is not complete.
    pub async fn next(&mut self) -> Result<Option<Answer>> {
        let mut call = self.http.get(self.host, &self.path).version(self.version);
        for (name, value) in &self.query {
            call = call.query(name, value);
        }
        if let Paging::Skip { size } = self.paging {
            call = call.query("$top", size);
        }
        match &self.next {
            Next::End => return Ok(None),
            Next::Start => {}
            Next::Skip(skip) => call = call.query("$skip", skip),
            Next::Token(token) => call = call.query("continuationToken", token),
        }
        let answer = call.send().await?;
        self.next = self.after(&answer)?;
        Ok(Some(answer))
    }

    fn after(&mut self, answer: &Answer) -> Result<Next> {
        if let Some(token) = answer.continuation() {
            return self.token(token);
        }
        match self.paging {
            Paging::One | Paging::Header => Ok(Next::End),
            Paging::Body { token } => {
                let document = answer.json::<&RawValue>()?;
                let pointer = if token.starts_with('/') {
                    token.to_owned()
                } else {
                    format!("/{token}")
                };
                match read::text_at(document, &pointer) {
                    Some(token) if !token.is_empty() => self.token(&token),
                    _ => Ok(Next::End),
                }
            }
            Paging::Skip { size } => self.skip(&answer.values()?, size),
        }
    }

    fn token(&mut self, token: &str) -> Result<Next> {
        if self.used.insert(token.to_owned()) {
            Ok(Next::Token(token.to_owned()))
        } else {
            Err(self.endless())
        }
    }

    fn skip(&mut self, values: &[&RawValue], size: u32) -> Result<Next> {
        let skipped = match self.next {
            Next::Skip(skipped) => skipped,
            _ => 0,
        };
        let Some(first) = values.first() else {
            return Ok(Next::End);
        };
        // More than asked for: the service does not page this list.
        if values.len() != size as usize {
            return Ok(Next::End);
        }
        if self.first == first.get() {
            return Err(self.endless());
        }
        first.get().clone_into(&mut self.first);
        Ok(Next::Skip(skipped + values.len() as u64))
    }

    fn endless(&self) -> Error {
        Error::malformed(format!(
            "{}{}: the same page comes again and again",
            self.host, self.path
        ))
    }
}

/// Puts ids and names into a path.
pub(super) fn fill(path: &str, scope: &Scope, id: &str) -> String {
    path.replace("{scope}", &segment(&scope.id))
        .replace("{scope-name}", &segment(&scope.name))
        .replace("{id}", &segment(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_stay_in_their_segment() {
        let scope = Scope {
            id: "p/1".to_owned(),
            name: "Ä B".to_owned(),
        };
        assert_eq!(
            fill("/_apis/{scope}/{scope-name}/x/{id}", &scope, "../7"),
            "/_apis/p%2F1/%C3%84%20B/x/..%2F7"
        );
    }
}
