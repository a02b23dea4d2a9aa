//! `keepward restore --server`: the server plans and applies, and this tells of it to its end.

use model::Conflict;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::{Apply, Plan, look};
use crate::client::{Api, segment, text};
use crate::commands::snapshot::resolve;
use crate::failure::{Exit, Failure};
use crate::follow;
use crate::output::Output;

pub(super) async fn plan(
    api: &Api,
    plan: &Plan,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let select = select(plan)?;
    let id = resolve(api, &plan.snapshot, plan.repository.as_deref()).await?;
    let snapshot = api.get(&format!("/snapshots/{id}")).await?;
    let connector = match &plan.into {
        Some(name) => name.clone(),
        None => maker(api, &snapshot).await?,
    };
    let body = json!({
        "snapshot": snapshot["id"], "target": { "connector": connector },
        "conflict": Conflict::from(plan.conflict), "select": select,
    });
    let made = api.post("/restore-plans", Some(&body)).await?;
    planned(api, &made, output, cancel).await
}

pub(super) async fn undo(
    api: &Api,
    plan: &str,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let path = format!("/restore-plans/{}/undo", segment(plan));
    let made = api.post(&path, None::<&()>).await?;
    planned(api, &made, output, cancel).await
}

/// Waits until a plan is there, and tells what it would do.
async fn planned(
    api: &Api,
    made: &Value,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let id = text(made, "id");
    let exit = ended(api, id, &json!({ "id": made["run"] }), output, cancel).await?;
    let plan = api.get(&format!("/restore-plans/{}", segment(id))).await?;
    look::tell(&plan, output);
    super::tell_next(id, look::writes(&plan), output);
    Ok(exit)
}

pub(super) async fn apply(
    api: &Api,
    apply: &Apply,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let path = format!("/restore-plans/{}", segment(&apply.plan));
    let plan = api.get(&path).await?;
    let confirm = apply.confirmation(plan["confirm"].as_str(), cancel).await?;
    let body = json!({ "confirm": confirm });
    let run = api.post(&format!("{path}/apply"), Some(&body)).await?;
    let exit = ended(api, &apply.plan, &run, output, cancel).await?;
    for step in api.list(&format!("{path}/steps")).await? {
        let differs = step["differences"]
            .as_array()
            .is_some_and(|all| !all.is_empty());
        if text(&step, "state") == "failed" || differs {
            tell(&step, output);
        }
    }
    let plan = api.get(&path).await?;
    output.result(&plan);
    output.line(format!(
        "plan {} is {}; the report: keepward restore steps {}",
        apply.plan,
        text(&plan, "state").replace('_', " "),
        apply.plan
    ));
    Ok(exit)
}

fn tell(step: &Value, output: &Output) {
    let differences = step["differences"].as_array().into_iter().flatten();
    let mut why: Vec<&str> = differences.filter_map(Value::as_str).collect();
    why.extend(step["reason"].as_str());
    output.event(&json!({
        "event": "trouble", "kind": step["kind"], "item": step["item"], "name": step["name"],
        "state": step["state"], "detail": why.join("; "),
    }));
    output.line(format!(
        "{} {} {} {:?}: {}",
        text(step, "state"),
        text(step, "kind"),
        text(step, "item"),
        text(step, "name"),
        why.join("; ")
    ));
}

/// Waits for the end of a plan's run, with the exit code that it would have had here. Who cancels needs no more than who restores.
async fn ended(
    api: &Api,
    plan: &str,
    run: &Value,
    output: &Output,
    cancel: &CancellationToken,
) -> Result<Exit, Failure> {
    let path = format!("/restore-plans/{}/cancel", segment(plan));
    let refused = async {
        cancel.cancelled().await;
        match api.post(&path, None::<&()>).await {
            Ok(_) => std::future::pending().await,
            Err(failure) => failure,
        }
    };
    let never = CancellationToken::new();
    tokio::select! {
        run = follow::follow(api, run, output, &never) => follow::exit(&run?),
        failure = refused => Err(failure),
    }
}

/// What a server is asked to restore.
pub(super) fn select(plan: &Plan) -> Result<Value, Failure> {
    plan.checked()?;
    let Plan {
        kinds, projects, ..
    } = plan;
    if plan.is_everything() {
        return Ok(json!({ "everything": true }));
    }
    let narrowed = |what: &str| {
        let hint = "select by one of them, or make the plan where the data directory is";
        Failure::usage(format!("a server takes {what}"), hint)
    };
    if let Some(path) = &plan.under {
        if !kinds.is_empty() || !projects.is_empty() {
            return Err(narrowed("--under without --kind and --project"));
        }
        return Ok(json!({ "missing": plan.missing, "paths": [path] }));
    }
    if !plan.id.is_empty() {
        if !projects.is_empty() {
            return Err(narrowed("--id without --project"));
        }
        let item = |id: &String| json!({ "kind": kinds.first(), "item": id });
        let items: Vec<Value> = plan.id.iter().map(item).collect();
        return Ok(json!({ "missing": plan.missing, "items": items }));
    }
    Ok(json!({ "missing": plan.missing, "kinds": kinds, "projects": projects }))
}

/// The connector of the organization that a snapshot is of.
async fn maker(api: &Api, snapshot: &Value) -> Result<String, Failure> {
    let connectors = api.list("/connectors").await?;
    let same = |connector: &&Value| {
        connector["service"] == snapshot["service"]
            && text(connector, "organization").to_lowercase() == text(snapshot, "source")
    };
    match connectors.iter().find(same) {
        Some(connector) => Ok(text(connector, "name").to_owned()),
        None => Err(Failure::usage(
            "no connector leads to the organization of this snapshot",
            "give --into CONNECTOR",
        )),
    }
}
