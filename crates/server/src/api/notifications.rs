//! Notification channels, and what was sent through them. Their secrets go in and never come out.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use catalog::{ChannelRow, OutboxRow};
use control::ChannelChange;
use model::{Channel, Destination, MailSecurity, Occasion};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::connectors::location;
use crate::access::{Allowed, Caller, Everything, ManagePolicies};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, SecretText, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(get, replace, remove))
        .routes(routes!(test))
        .routes(routes!(messages))
}

/// What a channel tells of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Occasions {
    Success,
    /// A run that did its work, with issues.
    Warning,
    Failure,
    Alarm,
}

impl Occasions {
    fn of(occasion: Occasion) -> Self {
        match occasion {
            Occasion::Success => Self::Success,
            Occasion::Warning => Self::Warning,
            Occasion::Failure => Self::Failure,
            Occasion::Alarm => Self::Alarm,
        }
    }

    fn word(self) -> Occasion {
        match self {
            Self::Success => Occasion::Success,
            Self::Warning => Occasion::Warning,
            Self::Failure => Occasion::Failure,
            Self::Alarm => Occasion::Alarm,
        }
    }
}

#[derive(Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Security {
    Tls,
    #[default]
    Starttls,
    /// For a relay on this machine alone.
    None,
}

/// Where a channel leads.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum To {
    /// The secret is the user's password.
    Email {
        host: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        port: Option<u16>,
        #[serde(default)]
        security: Security,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        from: String,
        to: Vec<String>,
    },
    /// Signed as Standard Webhooks says; the secret is the signing key.
    Webhook { url: String },
    /// The secret is the address.
    Slack,
    /// A workflow that takes adaptive cards; the secret is its address.
    Teams,
    /// A dead man's switch; the secret is its address.
    Ping,
}

impl To {
    fn of(to: Destination) -> Self {
        match to {
            Destination::Email {
                host,
                port,
                security,
                user,
                from,
                to,
            } => Self::Email {
                host,
                port,
                security: match security {
                    MailSecurity::Tls => Security::Tls,
                    MailSecurity::Starttls => Security::Starttls,
                    MailSecurity::None => Security::None,
                },
                user,
                from,
                to,
            },
            Destination::Webhook { url } => Self::Webhook { url },
            Destination::Slack => Self::Slack,
            Destination::Teams => Self::Teams,
            Destination::Ping => Self::Ping,
        }
    }

    fn destination(self) -> Destination {
        match self {
            Self::Email {
                host,
                port,
                security,
                user,
                from,
                to,
            } => Destination::Email {
                host,
                port,
                security: match security {
                    Security::Tls => MailSecurity::Tls,
                    Security::Starttls => MailSecurity::Starttls,
                    Security::None => MailSecurity::None,
                },
                user,
                from,
                to,
            },
            Self::Webhook { url } => Destination::Webhook { url },
            Self::Slack => Destination::Slack,
            Self::Teams => Destination::Teams,
            Self::Ping => Destination::Ping,
        }
    }
}

/// A channel, without its secret.
#[derive(Serialize, ToSchema)]
struct ChannelView {
    name: String,
    enabled: bool,
    to: To,
    on: BTreeSet<Occasions>,
    /// Names or patterns; empty for all connectors.
    connectors: Vec<String>,
    /// Grows with each change; sent back with one, it is refused when somebody else was faster.
    version: i64,
}

impl ChannelView {
    fn of(row: ChannelRow) -> Self {
        let channel = row.channel;
        Self {
            version: row.version,
            name: channel.name,
            enabled: channel.enabled,
            to: To::of(channel.to),
            on: channel.on.into_iter().map(Occasions::of).collect(),
            connectors: channel.connectors,
        }
    }
}

/// A channel to be kept.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct AddChannel {
    name: String,
    #[serde(default = "yes")]
    enabled: bool,
    to: To,
    /// Warnings, failures and alarms when absent; successes for a dead man's switch.
    on: Option<BTreeSet<Occasions>>,
    /// Names or patterns; empty for all connectors.
    #[serde(default)]
    connectors: Vec<String>,
    secret: Option<SecretText>,
}

/// What takes the place of a channel, but for its name.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct EditChannel {
    #[serde(default = "yes")]
    enabled: bool,
    to: To,
    /// Warnings, failures and alarms when absent; successes for a dead man's switch.
    on: Option<BTreeSet<Occasions>>,
    /// Names or patterns; empty for all connectors.
    #[serde(default)]
    connectors: Vec<String>,
    /// Absent to keep the one it has.
    secret: Option<SecretText>,
    /// What it replaces; absent for whatever is there.
    version: Option<i64>,
}

fn yes() -> bool {
    true
}

impl EditChannel {
    fn change(self, name: String) -> ChannelChange {
        let to = self.to.destination();
        let usual = || match to {
            Destination::Ping => [Occasion::Success].into(),
            _ => [Occasion::Warning, Occasion::Failure, Occasion::Alarm].into(),
        };
        let on = self
            .on
            .map(|on| on.into_iter().map(Occasions::word).collect());
        ChannelChange {
            channel: Channel {
                name,
                enabled: self.enabled,
                on: on.unwrap_or_else(usual),
                connectors: self.connectors,
                to,
            },
            secret: self.secret.map(SecretText::into_secret),
        }
    }
}

/// Which messages.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct OfChannel {
    /// Of this channel alone.
    #[param(required = false)]
    channel: Option<String>,
}

/// A message on its way, sent, or given up.
#[derive(Serialize, ToSchema)]
struct MessageView {
    /// As receivers see it.
    id: String,
    channel: String,
    /// What it is about: `run/ID`, `alarm/KEY/TIME`.
    event: String,
    /// `waiting`, `sent` or `failed`.
    state: String,
    attempts: u64,
    #[schema(format = DateTime)]
    created: String,
    /// When it is tried again.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    due: Option<String>,
    /// Why the last attempt failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl MessageView {
    fn of(row: OutboxRow) -> Self {
        Self {
            due: (row.state == "waiting").then(|| row.due.to_string()),
            id: row.id,
            channel: row.channel,
            event: row.event,
            state: row.state,
            attempts: row.attempts,
            created: row.created.to_string(),
            error: row.error,
        }
    }
}

/// The channels, by name.
#[utoipa::path(get, path = "/notifications", tag = "notifications", operation_id = "notification_list",
    extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    responses((status = 200, body = Paged<ChannelView>), Refusals))]
async fn list(
    _caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
) -> Result<Json<Paged<ChannelView>>, Problem> {
    let channels = server.control.catalog.channels().await?;
    let views: Vec<_> = channels.into_iter().map(ChannelView::of).collect();
    Ok(Json(Paged::from(views)))
}

/// Adds a channel.
#[utoipa::path(post, path = "/notifications", tag = "notifications", operation_id = "notification_add",
    extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    request_body = AddChannel,
    responses((status = 201, body = ChannelView, headers(("Location" = String))), Refusals))]
async fn add(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Json(request): Json<AddChannel>,
) -> Result<(StatusCode, HeaderMap, Json<ChannelView>), Problem> {
    let edit = EditChannel {
        enabled: request.enabled,
        to: request.to,
        on: request.on,
        connectors: request.connectors,
        secret: request.secret,
        version: None,
    };
    let change = edit.change(request.name);
    server.control.add_channel(&change).await?;
    let view = ChannelView::of(ChannelRow {
        channel: change.channel,
        version: 0,
    });
    noted(&server, &caller, "notification.add", &view).await?;
    let headers = location("notifications", &view.name);
    Ok((StatusCode::CREATED, headers, Json(view)))
}

async fn noted(
    server: &Server,
    caller: &Caller,
    action: &str,
    view: &ChannelView,
) -> Result<(), Problem> {
    let subject = format!("notification/{}", view.name);
    server.audit(caller, action, &subject, json!(view)).await
}

/// A channel.
#[utoipa::path(get, path = "/notifications/{name}", tag = "notifications", operation_id = "notification_get",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    responses((status = 200, body = ChannelView), Refusals))]
async fn get(
    _caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<Json<ChannelView>, Problem> {
    let channel = server.control.catalog.channel(&name).await?;
    Ok(Json(ChannelView::of(channel)))
}

/// Replaces a channel; without a secret it keeps the one it has.
#[utoipa::path(put, path = "/notifications/{name}", tag = "notifications", operation_id = "notification_edit",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    request_body = EditChannel, responses((status = 200, body = ChannelView), Refusals))]
async fn replace(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
    Json(request): Json<EditChannel>,
) -> Result<Json<ChannelView>, Problem> {
    let name = server.control.catalog.channel(&name).await?.channel.name;
    let version = request.version;
    let change = request.change(name);
    let version = server.control.edit_channel(&change, version).await?;
    let view = ChannelView::of(ChannelRow {
        channel: change.channel,
        version,
    });
    noted(&server, &caller, "notification.edit", &view).await?;
    Ok(Json(view))
}

/// Removes a channel; what waits for it is not sent any more.
#[utoipa::path(delete, path = "/notifications/{name}", tag = "notifications", operation_id = "notification_remove",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    responses((status = 204), Refusals))]
async fn remove(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    server.control.remove_channel(&name).await?;
    let subject = format!("notification/{name}");
    server
        .audit(&caller, "notification.remove", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sends a message now; refused with the reason when it does not arrive.
#[utoipa::path(post, path = "/notifications/{name}/test", tag = "notifications", operation_id = "notification_test",
    params(("name" = String, Path)), extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    responses((status = 204), Refusals))]
async fn test(
    caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Path(name): Path<String>,
) -> Result<StatusCode, Problem> {
    let egress = server.egress();
    server.control.test_channel(&name, &egress).await?;
    let subject = format!("notification/{name}");
    server
        .audit(&caller, "notification.test", &subject, json!({}))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What was sent, waits or was given up, the newest first.
#[utoipa::path(get, path = "/notification-messages", tag = "notifications", operation_id = "notification_messages",
    params(PageQuery, OfChannel), extensions(("x-permission" = json!("manage-policies")), ("x-reach" = json!("all"))),
    responses((status = 200, body = Paged<MessageView>), Refusals))]
async fn messages(
    _caller: Allowed<ManagePolicies, Everything>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(of): Query<OfChannel>,
) -> Result<Json<Paged<MessageView>>, Problem> {
    let catalog = &server.control.catalog;
    let listed = catalog
        .messages(of.channel.as_deref(), &query.page(&server)?)
        .await?;
    Ok(Json(Paged::from_listed(&server, listed, MessageView::of)))
}
