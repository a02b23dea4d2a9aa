//! What waits for another person's approval.

use axum::extract::State;
use axum::http::StatusCode;
use catalog::Page;
use model::{Policy, Proposal as Stored, ProposalKind, ProposalState};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::snapshots::reached;
use crate::access::{
    Allowed, Approve, Caller, CallerKind, Everything, ManageServer, Outcome, Own, ReadStatus,
};
use crate::{Json, PageQuery, Paged, Path, Problem, Query, Refusals, Server};

pub(super) fn routes() -> OpenApiRouter<Server> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(approve))
        .routes(routes!(reject))
        .routes(routes!(withdraw))
        .routes(routes!(four_eyes, set_four_eyes))
}

/// What somebody asked for and another person has to approve.
#[derive(Serialize, ToSchema)]
pub(crate) struct Proposal {
    id: String,
    /// `forget-snapshots`, `shorten-retention`, `move-default-repository`, `remove-repository`, `switch-off-four-eyes`
    kind: &'static str,
    /// What it is about.
    subject: String,
    /// Everything that would be done.
    #[schema(value_type = Object)]
    change: Value,
    /// Of the change; whoever approves sends it back.
    hash: String,
    requester: String,
    created: String,
    expires: String,
    /// `open`, `executing`, `done`, `failed`, `rejected`, `withdrawn` or `expired`.
    #[schema(value_type = String)]
    state: ProposalState,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided: Option<String>,
    /// What went wrong, or why it was rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
}

impl From<Stored> for Proposal {
    fn from(stored: Stored) -> Self {
        let mut change = json!(stored.kind);
        if let Value::Object(members) = &mut change {
            members.remove("kind");
        }
        Self {
            kind: stored.kind.name(),
            subject: stored.kind.subject(),
            change,
            id: stored.id,
            hash: stored.hash,
            requester: stored.requester_name,
            created: stored.created.to_string(),
            expires: stored.expires.to_string(),
            state: stored.state,
            decided_by: stored.decided_by,
            decided: stored.decided.map(|time| time.to_string()),
            result: stored.result,
        }
    }
}

/// The answer to a request that waits for another person's approval.
#[derive(Serialize, ToSchema)]
pub(crate) struct Waits {
    /// The id of the proposal.
    proposal: String,
    /// Undecided until then, it is void.
    expires: String,
}

impl Server {
    /// Writes down what waits for another person, and answers 202 with the proposal. Ask [`control::Control::four_eyes`] first.
    pub(crate) async fn propose(
        &self,
        caller: &Caller,
        kind: &ProposalKind,
    ) -> Result<(StatusCode, Json<Waits>), Problem> {
        let proposal = self.control.propose(&caller.requester(), kind).await?;
        let details = json!({ "proposal": proposal.id, "kind": kind.name() });
        self.audit(caller, "proposal.add", &kind.subject(), details)
            .await?;
        let waits = Waits {
            proposal: proposal.id,
            expires: proposal.expires.to_string(),
        };
        Ok((StatusCode::ACCEPTED, Json(waits)))
    }
}

/// Whether somebody may see a proposal: one of their own, or one that is about connectors that they reach alone.
async fn sees(server: &Server, caller: &Caller, proposal: &Stored) -> Result<bool, Problem> {
    let own = proposal.requester == caller.requester().person;
    Ok(own || concerns_alone(server, caller, &proposal.kind).await?)
}

/// Whether everything that would be done is about connectors that the caller reaches: others decide about more.
async fn concerns_alone(
    server: &Server,
    caller: &Caller,
    kind: &ProposalKind,
) -> Result<bool, Problem> {
    if caller.connectors.is_none() {
        return Ok(true);
    }
    match kind {
        ProposalKind::ForgetSnapshots { snapshots, .. } => {
            for id in snapshots {
                match reached(server, caller, id).await {
                    Ok(_) => {}
                    Err(problem) if problem.code() == "snapshot-unknown" => return Ok(false),
                    Err(problem) => return Err(problem),
                }
            }
            Ok(true)
        }
        ProposalKind::ShortenRetention { old, new, .. } => {
            // One without names is for whatever others leave, also what is yet to come.
            let named = |policy: &Policy| {
                let mut named = policy.connectors.iter();
                !policy.connectors.is_empty() && named.all(|name| caller.reaches(name))
            };
            Ok(old.iter().chain(new).all(|policy| named(policy)))
        }
        ProposalKind::MoveDefaultRepository { .. }
        | ProposalKind::RemoveRepository { .. }
        | ProposalKind::SwitchOffFourEyes => Ok(false),
    }
}

/// The proposal of this id, when the caller sees it.
async fn visible(server: &Server, caller: &Caller, id: &str) -> Result<Stored, Problem> {
    let now = server.control.clock.now();
    let proposal = server.control.catalog.proposal(id, now).await?;
    if sees(server, caller, &proposal).await? {
        return Ok(proposal);
    }
    Err(catalog::Error::ProposalUnknown { id: id.to_owned() }.into())
}

/// Refuses to decide about connectors that the caller does not reach.
async fn decides(server: &Server, caller: &Caller, id: &str) -> Result<(), Problem> {
    let proposal = visible(server, caller, id).await?;
    if concerns_alone(server, caller, &proposal.kind).await? {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "role-missing",
        "this account reaches some connectors alone, and the proposal is about others too",
    ))
}

/// How many the caller sees that wait for a decision.
pub(super) async fn waiting(server: &Server, caller: &Caller) -> Result<u64, Problem> {
    let (catalog, now) = (&server.control.catalog, server.control.clock.now());
    if caller.connectors.is_none() {
        return Ok(catalog.waiting_proposals(now).await?);
    }
    let (mut count, mut page) = (0, Some(Page::first(500)));
    while let Some(this) = page {
        let listed = catalog.proposals(true, now, &this).await?;
        for proposal in &listed.items {
            count += u64::from(sees(server, caller, proposal).await?);
        }
        page = this.following(&listed);
    }
    Ok(count)
}

/// Which proposals to list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only those that can still be decided.
    #[param(required = false)]
    open: Option<bool>,
}

/// Proposals, the newest first. Who reaches some connectors alone sees their own, and those that are about these connectors and no others.
#[utoipa::path(get, path = "/proposals", tag = "proposals", operation_id = "proposal_list",
    params(PageQuery, Filter), extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Paged<Proposal>), Refusals))]
async fn list(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Query(query): Query<PageQuery>,
    Query(filter): Query<Filter>,
) -> Result<Json<Paged<Proposal>>, Problem> {
    let (open, now) = (filter.open.unwrap_or(false), server.control.clock.now());
    let mut proposals = server
        .control
        .catalog
        .proposals(open, now, &query.page(&server)?)
        .await?;
    let mut visible = Vec::new();
    for proposal in std::mem::take(&mut proposals.items) {
        if sees(&server, &caller, &proposal).await? {
            visible.push(proposal);
        }
    }
    proposals.items = visible;
    Ok(Json(Paged::from_listed(&server, proposals, Proposal::from)))
}

/// A proposal.
#[utoipa::path(get, path = "/proposals/{id}", tag = "proposals", operation_id = "proposal_get", params(("id" = String, Path)),
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = Proposal), Refusals))]
async fn get(
    caller: Allowed<ReadStatus>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<Proposal>, Problem> {
    Ok(Json(visible(&server, &caller, &id).await?.into()))
}

/// An approval of what the approver saw.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Approval {
    /// `hash` of the proposal that was looked at.
    hash: String,
}

/// A rejection.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Rejection {
    /// For who asked.
    reason: Option<String>,
}

/// Approves what another person asked for, and carries it out at once.
#[utoipa::path(post, path = "/proposals/{id}/approve", tag = "proposals", operation_id = "proposal_approve",
    params(("id" = String, Path)),
    extensions(("x-permission" = json!("approve"))),
    request_body = Approval, responses((status = 200, body = Proposal), Refusals))]
async fn approve(
    caller: Allowed<Approve>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<Approval>,
) -> Result<Json<Proposal>, Problem> {
    decides(&server, &caller, &id).await?;
    let proposal = server
        .control
        .approve(&id, &caller.requester(), &request.hash)
        .await?;
    let outcome = match proposal.state {
        ProposalState::Done => Outcome::Done,
        _ => Outcome::Failed,
    };
    let details = json!({
        "proposal": id, "kind": proposal.kind.name(), "requester": proposal.requester_name, "result": proposal.result,
    });
    server
        .audit_as(
            &caller,
            "proposal.approve",
            &proposal.kind.subject(),
            details,
            outcome,
        )
        .await?;
    Ok(Json(proposal.into()))
}

/// Rejects what another person asked for.
#[utoipa::path(post, path = "/proposals/{id}/reject", tag = "proposals", operation_id = "proposal_reject",
    params(("id" = String, Path)),
    extensions(("x-permission" = json!("approve"))),
    request_body = Rejection, responses((status = 200, body = Proposal), Refusals))]
async fn reject(
    caller: Allowed<Approve>,
    State(server): State<Server>,
    Path(id): Path<String>,
    Json(request): Json<Rejection>,
) -> Result<Json<Proposal>, Problem> {
    decides(&server, &caller, &id).await?;
    let proposal = server
        .control
        .reject(&id, &caller.requester(), request.reason.as_deref())
        .await?;
    let details = json!({ "proposal": id, "kind": proposal.kind.name(), "reason": request.reason });
    server
        .audit(
            &caller,
            "proposal.reject",
            &proposal.kind.subject(),
            details,
        )
        .await?;
    Ok(Json(proposal.into()))
}

/// Takes back what one asked for oneself.
#[utoipa::path(post, path = "/proposals/{id}/withdraw", tag = "proposals", operation_id = "proposal_withdraw",
    params(("id" = String, Path)),
    extensions(("x-permission" = json!("own"))),
    responses((status = 200, body = Proposal), Refusals))]
async fn withdraw(
    caller: Allowed<Own>,
    State(server): State<Server>,
    Path(id): Path<String>,
) -> Result<Json<Proposal>, Problem> {
    let proposal = server.control.withdraw(&id, &caller.requester()).await?;
    let details = json!({ "proposal": id, "kind": proposal.kind.name() });
    server
        .audit(
            &caller,
            "proposal.withdraw",
            &proposal.kind.subject(),
            details,
        )
        .await?;
    Ok(Json(proposal.into()))
}

/// Whether another person has to approve what removes backups.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct FourEyes {
    enabled: bool,
}

/// Whether another person has to approve what removes backups.
#[utoipa::path(get, path = "/settings/four-eyes", tag = "proposals", operation_id = "four_eyes_get",
    extensions(("x-permission" = json!("read-status"))),
    responses((status = 200, body = FourEyes), Refusals))]
async fn four_eyes(
    _caller: Allowed<ReadStatus>,
    State(server): State<Server>,
) -> Result<Json<FourEyes>, Problem> {
    let enabled = server.control.four_eyes().await?;
    Ok(Json(FourEyes { enabled }))
}

/// Switches approval on at once, or off once another person has approved that. The machine's own administrator switches it off at once:
/// whoever has the data directory can do everything anyway, and two of whom one has left would be locked out.
#[utoipa::path(put, path = "/settings/four-eyes", tag = "proposals", operation_id = "four_eyes_set",
    extensions(("x-permission" = json!("manage-server")), ("x-reach" = json!("all"))),
    request_body = FourEyes,
    responses((status = 200, body = FourEyes), (status = 202, body = Waits), Refusals))]
async fn set_four_eyes(
    caller: Allowed<ManageServer, Everything>,
    State(server): State<Server>,
    Json(request): Json<FourEyes>,
) -> Result<axum::response::Response, Problem> {
    use axum::response::IntoResponse as _;
    let enabled = server.control.four_eyes().await?;
    if enabled == request.enabled {
        // Nothing to note: since when it is on decides who may approve.
        return Ok(Json(request).into_response());
    }
    if enabled && caller.kind != CallerKind::Local {
        let waits = server
            .propose(&caller, &ProposalKind::SwitchOffFourEyes)
            .await?;
        return Ok(waits.into_response());
    }
    if request.enabled && server.control.catalog.count_administrators().await? < 2 {
        return Err(Problem::refused(
            "approvers-missing",
            "fewer than two people could approve for each other",
        ));
    }
    server
        .control
        .catalog
        .set_four_eyes(request.enabled)
        .await?;
    let details = json!({ "enabled": request.enabled });
    server
        .audit(&caller, "setting.four-eyes", "setting/four-eyes", details)
        .await?;
    Ok(Json(request).into_response())
}
