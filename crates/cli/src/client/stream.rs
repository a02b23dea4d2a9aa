//! A stream of server-sent events.

use std::time::Duration;

use serde_json::Value;

/// The server says something every 15 seconds; where nothing is heard for longer, the connection is lost.
const SILENCE: Duration = Duration::from_secs(45);

/// An open stream, and the id of the event that it told last.
pub(crate) struct Stream {
    answer: reqwest::Response,
    unread: Vec<u8>,
    pub last: Option<String>,
}

/// One event.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Told {
    pub name: String,
    pub data: Value,
    id: Option<String>,
}

impl Stream {
    pub(super) fn new(answer: reqwest::Response) -> Self {
        Self {
            answer,
            unread: Vec::new(),
            last: None,
        }
    }

    /// The next event; `None` when the connection has ended. Nothing is lost when this is not waited for to its end.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some(told) = take(&mut self.unread) {
                if told.id.is_some() {
                    self.last.clone_from(&told.id);
                }
                if !told.name.is_empty() {
                    return Some(told);
                }
            }
            let chunk = tokio::time::timeout(SILENCE, self.answer.chunk()).await;
            self.unread.extend_from_slice(&chunk.ok()?.ok()??);
        }
    }
}

/// The first whole event of what was received, which ends with an empty line.
fn take(unread: &mut Vec<u8>) -> Option<Told> {
    let end = unread.windows(2).position(|pair| pair == b"\n\n")?;
    let event: Vec<u8> = unread.drain(..end + 2).collect();
    let mut told = Told::default();
    for line in String::from_utf8_lossy(&event).lines() {
        let (key, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match key {
            "event" => value.clone_into(&mut told.name),
            "id" => told.id = Some(value.to_owned()),
            "data" => told.data = serde_json::from_str(value).unwrap_or(Value::Null),
            _ => {}
        }
    }
    Some(told)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read_as_they_come_in_pieces() {
        let mut unread = b": \n\nid: a-1\nevent: phase\ndata: {\"x\":1}\n\nid: a-2\nev".to_vec();
        assert_eq!(take(&mut unread), Some(Told::default()));
        let told = take(&mut unread).unwrap();
        assert_eq!(
            (told.name.as_str(), told.id.as_deref()),
            ("phase", Some("a-1"))
        );
        assert_eq!(told.data["x"], 1);
        assert_eq!(take(&mut unread), None);
        unread.extend_from_slice(b"ent: changed\n\n");
        assert_eq!(take(&mut unread).unwrap().name, "changed");
    }
}
