//! Delivers a message: over HTTP or by mail.

use std::time::Duration;

use jiff::Timestamp;
use lettre::message::header::ContentType;
use lettre::message::{Mailbox, MessageBuilder};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use model::{Destination, MailSecurity, Secret};
use reqwest::redirect::Policy;
use serde_json::Value;
use service::egress::{Egress, Purpose};
use standardwebhooks::Webhook;
use url::Url;

use super::{Message, format};
use crate::{Error, Result, USER_AGENT};

const TIMEOUT: Duration = Duration::from_secs(20);
const MOST_RECIPIENTS: usize = 50;

/// Why a message did not arrive. It never holds an address that may be a secret.
#[derive(Debug)]
pub(super) struct Undelivered {
    pub(super) why: String,
    /// Another attempt may go better.
    pub(super) again: bool,
}

impl Undelivered {
    fn again(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: true,
        }
    }

    fn never(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            again: false,
        }
    }
}

type Delivered = Result<(), Undelivered>;

pub(super) struct Sender {
    client: reqwest::Client,
    egress: Egress,
}

impl Sender {
    pub(super) fn new(egress: &Egress) -> Result<Self> {
        let builder = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .timeout(TIMEOUT);
        let client = egress
            .guard(builder, Purpose::Webhook)
            // Whoever moved has to be told of anew: the signature or the address is meant for one receiver.
            .redirect(Policy::none())
            .build()
            .map_err(|error| Error::Request {
                code: "notification-failed",
                message: error.to_string(),
            })?;
        Ok(Self {
            client,
            egress: egress.clone(),
        })
    }

    pub(super) async fn send(
        &self,
        to: &Destination,
        secret: Option<&Secret>,
        id: &str,
        message: &Message,
        now: Timestamp,
    ) -> Delivered {
        if let Destination::Email { .. } = to {
            return self.mail(to, secret, id, message).await;
        }
        let Some(secret) = secret else {
            return Err(Undelivered::again(
                "the channel's secret is not in the vault",
            ));
        };
        match to {
            Destination::Webhook { url } => {
                let body = format::webhook(message).to_string();
                let at = now.as_second();
                let signed = Webhook::new(secret.expose())
                    .and_then(|webhook| webhook.sign(id, at, body.as_bytes()));
                let signature = signed.map_err(|error| Undelivered::never(error.to_string()))?;
                let request = self
                    .post(url, body)
                    .await?
                    .header("webhook-id", id)
                    .header("webhook-timestamp", at)
                    .header("webhook-signature", signature);
                Self::exchange(request).await
            }
            Destination::Slack => self.json(secret, &format::slack(message), id).await,
            Destination::Teams => self.json(secret, &format::teams(message), id).await,
            Destination::Ping => {
                let url = self.address(secret.expose()).await?;
                Self::exchange(self.client.get(url)).await
            }
            Destination::Email { .. } => Ok(()),
        }
    }

    async fn json(&self, address: &Secret, body: &Value, id: &str) -> Delivered {
        let request = self.post(address.expose(), body.to_string()).await?;
        Self::exchange(request.header("webhook-id", id)).await
    }

    async fn post(&self, url: &str, body: String) -> Result<reqwest::RequestBuilder, Undelivered> {
        let url = self.address(url).await?;
        Ok(self
            .client
            .post(url)
            .header("content-type", "application/json")
            .body(body))
    }

    async fn address(&self, text: &str) -> Result<Url, Undelivered> {
        let url = super::channels::http_url(text).map_err(Undelivered::never)?;
        let checked = self.egress.check(&url, Purpose::Webhook).await;
        checked.map_err(|error| Undelivered::again(error.to_string()))?;
        Ok(url)
    }

    async fn exchange(request: reqwest::RequestBuilder) -> Delivered {
        let answer = request
            .send()
            .await
            .map_err(|error| Undelivered::again(chain(&error.without_url())))?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let why = format!("the receiver answers with status {}", status.as_u16());
        // It says that it does not want to hear of us again.
        Err(if status == reqwest::StatusCode::GONE {
            Undelivered::never(why)
        } else {
            Undelivered::again(why)
        })
    }

    async fn mail(
        &self,
        to: &Destination,
        secret: Option<&Secret>,
        id: &str,
        message: &Message,
    ) -> Delivered {
        let Destination::Email {
            host,
            port,
            security,
            user,
            from,
            to,
        } = to
        else {
            return Ok(());
        };
        let port = port.unwrap_or(match security {
            MailSecurity::Tls => 465,
            MailSecurity::Starttls => 587,
            MailSecurity::None => 25,
        });
        let mail = compose(from, to, id, message).map_err(Undelivered::never)?;
        let place = Url::parse(&format!("http://{host}:{port}"))
            .map_err(|_| Undelivered::never("the mail server is not a host name"))?;
        let found = self.egress.check(&place, Purpose::Webhook).await;
        let found = found.map_err(|error| Undelivered::again(error.to_string()))?;
        let Some(address) = found.first() else {
            return Err(Undelivered::again(format!("{host} has no address")));
        };
        let parameters = || {
            TlsParameters::new(host.clone()).map_err(|error| Undelivered::again(error.to_string()))
        };
        let tls = match security {
            MailSecurity::Tls => Tls::Wrapper(parameters()?),
            MailSecurity::Starttls => Tls::Required(parameters()?),
            MailSecurity::None => Tls::None,
        };
        // The address that was looked at, not what the name leads to a moment later.
        let mut transport =
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(address.to_string())
                .port(port)
                .timeout(Some(TIMEOUT))
                .tls(tls);
        if let (Some(user), Some(secret)) = (user, secret) {
            let password = secret.expose().to_owned();
            transport = transport.credentials(Credentials::new(user.clone(), password));
        }
        let sent = transport.build().send(mail).await;
        sent.map(drop)
            .map_err(|error| Undelivered::again(chain(&error)))
    }
}

/// A mail with the message's id as its own, so that a second copy is recognized.
pub(super) fn compose(
    from: &str,
    to: &[String],
    id: &str,
    message: &Message,
) -> Result<lettre::Message, String> {
    let mailbox = |text: &str| -> Result<Mailbox, String> {
        text.parse()
            .map_err(|_| format!("`{text}` is not a mail address"))
    };
    if to.is_empty() || to.len() > MOST_RECIPIENTS {
        return Err(format!("a mail has 1 to {MOST_RECIPIENTS} recipients"));
    }
    let from = mailbox(from)?;
    let domain = from.email.domain().to_owned();
    let mut mail: MessageBuilder = lettre::Message::builder()
        .from(from)
        .message_id(Some(format!("<{id}@{domain}>")))
        .date(message.at.into())
        .subject(format!("[Keepward] {}", message.title))
        .header(ContentType::TEXT_PLAIN);
    for one in to {
        mail = mail.to(mailbox(one)?);
    }
    mail.body(format!("{}\n\n{}\n", message.title, message.text()))
        .map_err(|error| error.to_string())
}

/// The message with what caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        message = format!("{message}: {cause}");
        source = cause.source();
    }
    message
}
