//! `keepward notification`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::Global;
use crate::app::read_secret;
use crate::client::{Api, segment};
use crate::failure::{Exit, Failure};
use crate::output::{Output, moment};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Add a channel
    #[command(
        after_help = "Examples:\n  keepward notification add ops email --host smtp.example.com --user backup \\\n      --from backup@example.com --to ops@example.com --secret-file smtp.password\n  \
        keepward notification add hook webhook --url https://example.com/hook --secret-file signing.key\n  \
        keepward notification add chat slack --secret-file slack.url --on failure --on alarm\n  \
        keepward notification add alive ping --secret-file ping.url --connector contoso\n\n\
        Webhooks are signed as Standard Webhooks says (base64 key). The addresses of Slack, Teams and a dead man's switch are secrets themselves: give them in a file. \
        A message that does not arrive is sent again, for a day, always with the same id."
    )]
    Add(Channel),
    /// The channels
    #[command(after_help = "Example:\n  keepward notification list --json")]
    List,
    /// Send a message now and say whether it arrived
    #[command(after_help = "Example:\n  keepward notification test ops")]
    Test { name: String },
    /// Replace a channel; without --secret-file it keeps its secret
    #[command(
        after_help = "Example:\n  keepward notification edit chat slack --on warning --on failure --on alarm\n\n\
        It says all that the channel is from now on, whatever somebody else changed about it before."
    )]
    Edit(Channel),
    /// Remove a channel
    #[command(after_help = "Example:\n  keepward notification remove chat")]
    Remove { name: String },
    /// What was sent, waits or was given up
    #[command(after_help = "Example:\n  keepward notification messages --channel ops")]
    Messages {
        /// Of this channel alone
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
    },
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Email,
    Webhook,
    Slack,
    Teams,
    /// GET after each success, for a dead man's switch
    Ping,
}

#[derive(Clone, Copy, ValueEnum)]
enum Occasion {
    Success,
    /// A run that did its work, with issues
    Warning,
    Failure,
    /// No good backup for too long, a secret that expires, a disk that fills
    Alarm,
}

#[derive(Clone, Copy, ValueEnum)]
enum Security {
    /// Encrypted from the first byte
    Tls,
    /// Begun in clear, and refused unless it goes on encrypted
    Starttls,
    /// For a relay on this machine alone
    None,
}

#[derive(Args)]
pub(crate) struct Channel {
    /// What to call it
    name: String,
    kind: Kind,
    /// What it tells of; may be given several times [default: warning, failure and alarm; success for ping]
    #[arg(long, value_name = "OCCASION")]
    on: Vec<Occasion>,
    /// Only of this connector, or of those that fit a pattern; may be given several times
    #[arg(long = "connector", value_name = "NAME")]
    connectors: Vec<String>,
    /// Keep it, and tell nothing
    #[arg(long)]
    disabled: bool,
    /// Holds the password, the signing key or the address
    #[arg(long, value_name = "FILE")]
    secret_file: Option<PathBuf>,
    /// Of a webhook
    #[arg(long, value_name = "URL", required_if_eq("kind", "webhook"))]
    url: Option<String>,
    /// The mail server
    #[arg(
        long,
        value_name = "HOST",
        required_if_eq("kind", "email"),
        help_heading = "Mail"
    )]
    host: Option<String>,
    /// [default: 587 with STARTTLS, 465 with TLS, 25 without]
    #[arg(long, value_name = "NUMBER", help_heading = "Mail")]
    port: Option<u16>,
    #[arg(long, default_value = "starttls", help_heading = "Mail")]
    security: Security,
    /// Who signs in at the mail server
    #[arg(long, value_name = "NAME", help_heading = "Mail")]
    user: Option<String>,
    #[arg(
        long,
        value_name = "ADDRESS",
        required_if_eq("kind", "email"),
        help_heading = "Mail"
    )]
    from: Option<String>,
    /// May be given several times
    #[arg(
        long,
        value_name = "ADDRESS",
        required_if_eq("kind", "email"),
        help_heading = "Mail"
    )]
    to: Vec<String>,
}

fn word(value: &impl ValueEnum) -> String {
    let value = value.to_possible_value();
    value.map_or_else(String::new, |value| value.get_name().to_owned())
}

impl Channel {
    fn body(&self) -> Result<Value, Failure> {
        let mut to = json!({ "kind": word(&self.kind) });
        match self.kind {
            Kind::Email => {
                to["host"] = json!(self.host);
                to["security"] = json!(word(&self.security));
                to["from"] = json!(self.from);
                to["to"] = json!(self.to);
                if let Some(port) = self.port {
                    to["port"] = json!(port);
                }
                if let Some(user) = &self.user {
                    to["user"] = json!(user);
                }
            }
            Kind::Webhook => to["url"] = json!(self.url),
            Kind::Slack | Kind::Teams | Kind::Ping => {}
        }
        let mut body = json!({
            "enabled": !self.disabled, "to": to, "connectors": self.connectors,
        });
        if !self.on.is_empty() {
            let on = self.on.iter().map(word);
            body["on"] = json!(on.collect::<Vec<_>>());
        }
        if let Some(file) = &self.secret_file {
            body["secret"] = json!(read_secret(file)?.expose());
        }
        Ok(body)
    }
}

pub(crate) async fn run(
    command: Command,
    global: &Global,
    output: &Output,
) -> Result<Exit, Failure> {
    let api = Api::open(global).await?;
    let at = |name: &str| format!("/notifications/{}", segment(name));
    match command {
        Command::Add(channel) => {
            let mut body = channel.body()?;
            body["name"] = json!(channel.name);
            let made = api.post("/notifications", Some(&body)).await?;
            output.result(&made);
            output.line(format!(
                "added; see whether it works: keepward notification test {}",
                channel.name
            ));
        }
        Command::Edit(channel) => {
            let body = channel.body()?;
            let made = api.put(&at(&channel.name), Some(&body)).await?;
            output.result(&made);
            output.line("changed");
        }
        Command::List => list(&api, output).await?,
        Command::Test { name } => {
            let path = format!("{}/test", at(&name));
            api.post(&path, None::<&()>).await?;
            output.result(&json!({ "delivered": name }));
            output.line("delivered");
        }
        Command::Remove { name } => {
            api.delete(&at(&name)).await?;
            output.result(&json!({ "removed": name }));
            output.line("removed");
        }
        Command::Messages { channel } => messages(&api, channel.as_deref(), output).await?,
    }
    Ok(Exit::Done)
}

async fn list(api: &Api, output: &Output) -> Result<(), Failure> {
    let channels = api.list("/notifications").await?;
    let joined = |value: &Value| {
        let words = value.as_array().into_iter().flatten();
        words
            .filter_map(Value::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    let head = ["name", "kind", "on", "connectors", "enabled"];
    output.rows(&head, &channels, |channel| {
        let connectors = joined(&channel["connectors"]);
        vec![
            channel["name"].as_str().unwrap_or("").to_owned(),
            channel["to"]["kind"].as_str().unwrap_or("").to_owned(),
            joined(&channel["on"]),
            if connectors.is_empty() {
                "all".to_owned()
            } else {
                connectors
            },
            if channel["enabled"] == json!(true) {
                "yes"
            } else {
                "no"
            }
            .to_owned(),
        ]
    });
    Ok(())
}

async fn messages(api: &Api, channel: Option<&str>, output: &Output) -> Result<(), Failure> {
    let path = match channel {
        Some(name) => format!("/notification-messages?channel={}", segment(name)),
        None => "/notification-messages".to_owned(),
    };
    let messages = api.list(&path).await?;
    let head = ["created", "channel", "event", "state", "attempts", "error"];
    output.rows(&head, &messages, |message| {
        let text = |key: &str| message[key].as_str().unwrap_or("").to_owned();
        vec![
            moment(&text("created")),
            text("channel"),
            text("event"),
            text("state"),
            message["attempts"].to_string(),
            text("error"),
        ]
    });
    Ok(())
}
