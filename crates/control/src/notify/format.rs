//! A message in the words of each kind of receiver.

use model::Occasion;
use serde_json::{Value, json};

use super::Message;

/// As Standard Webhooks recommends: type, time, data.
pub(super) fn webhook(message: &Message) -> Value {
    json!({
        "type": message.kind, "timestamp": message.at.to_string(), "title": message.title,
        "text": message.text(), "data": message.data,
    })
}

/// Slack reads three characters as markup; all else is text.
pub(super) fn slack(message: &Message) -> Value {
    let escape = |text: &str| {
        text.replace('&', "&amp;")
            .replace('<', "&lt;")
            .replace('>', "&gt;")
    };
    let plain = |kind: &str, text: &str| json!({ "type": kind, "text": { "type": "plain_text", "text": text, "emoji": false } });
    let title: String = message.title.chars().take(150).collect();
    json!({
        "text": escape(&message.title),
        "blocks": [
            plain("header", &title),
            plain("section", &message.text()),
        ],
    })
}

/// An adaptive card, in elements that know no markup.
pub(super) fn teams(message: &Message) -> Value {
    let color = match message.occasion {
        Occasion::Success => "good",
        Occasion::Warning => "warning",
        Occasion::Failure | Occasion::Alarm => "attention",
    };
    let run = |text: &str, weight: &str, color: &str| {
        json!({
            "type": "RichTextBlock",
            "inlines": [{ "type": "TextRun", "text": text, "weight": weight, "color": color }],
        })
    };
    let mut body = vec![run(&message.title, "bolder", color)];
    body.extend(
        message
            .lines
            .iter()
            .map(|line| run(line, "default", "default")),
    );
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard", "version": "1.4", "body": body,
            },
        }],
    })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn hostile() -> Message {
        Message {
            occasion: Occasion::Failure,
            kind: "run.failure".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            title: "Backup of <!channel> & co failed".to_owned(),
            lines: vec!["[click](https://evil.example)".to_owned()],
            data: json!({}),
        }
    }

    #[test]
    fn names_from_elsewhere_are_text_and_not_markup() {
        let slack = slack(&hostile());
        assert_eq!(slack["text"], "Backup of &lt;!channel&gt; &amp; co failed");
        assert_eq!(slack["blocks"][1]["text"]["type"], "plain_text");
        let teams = teams(&hostile());
        let body = &teams["attachments"][0]["content"]["body"];
        assert_eq!(body[1]["type"], "RichTextBlock");
        assert_eq!(
            body[1]["inlines"][0]["text"],
            "[click](https://evil.example)"
        );
    }
}
