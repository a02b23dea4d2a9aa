//! The organization as its users and the simulator's counters know it.

use anyhow::{Context as _, Result};
use reqwest::Method;
use serde_json::{Value, json};

use crate::measure::Server;

pub(crate) struct Organization<'a> {
    server: &'a Server,
    client: reqwest::Client,
}

impl<'a> Organization<'a> {
    pub(crate) fn new(server: &'a Server) -> Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        Ok(Self { server, client })
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let mut request = self
            .client
            .request(method, format!("{}/{path}", self.server.url))
            .basic_auth("", Some(&self.server.pat));
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .body(body.to_string());
        }
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        if answer.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&answer).with_context(|| format!("{path} gave no JSON"))
    }

    async fn api(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = format!(
            "{}/_apis/{path}{separator}api-version=7.1",
            self.server.organization
        );
        self.call(method, &path, body).await
    }

    pub(crate) async fn reset_requests(&self) -> Result<()> {
        self.call(Method::POST, "__ledger/reset", None)
            .await
            .map(drop)
    }

    /// Since the last reset.
    pub(crate) async fn requests(&self) -> Result<u64> {
        let ledger = self
            .call(Method::GET, "__ledger?summary=true", None)
            .await?;
        ledger["summary"]["requests"]
            .as_u64()
            .context("the simulator counts no requests")
    }

    /// Gives so many work items, evenly spread, another title.
    pub(crate) async fn change(&self, count: u32) -> Result<()> {
        self.call(Method::POST, "__bulk/change", Some(json!({"count": count})))
            .await
            .map(drop)
    }

    /// One commit in each of the first repositories that have a branch.
    pub(crate) async fn push(&self, count: u32) -> Result<()> {
        let list = self.api(Method::GET, "git/repositories", None).await?;
        let repositories = list["value"].as_array().context("no repositories")?;
        let with_branch = repositories.iter().filter_map(|repository| {
            Some((
                repository["id"].as_str()?,
                repository["defaultBranch"].as_str()?,
            ))
        });
        for (id, branch) in with_branch.take(count as usize) {
            let short = branch.trim_start_matches("refs/");
            let refs = self
                .api(
                    Method::GET,
                    &format!("git/repositories/{id}/refs?filter={short}"),
                    None,
                )
                .await?;
            let tip = refs["value"][0]["objectId"]
                .as_str()
                .context("a branch without a commit")?;
            let change = json!({
                "changeType": "add",
                "item": {"path": "/changed.txt"},
                "newContent": {"content": "changed\n", "contentType": "rawtext"},
            });
            let push = json!({
                "refUpdates": [{"name": branch, "oldObjectId": tip}],
                "commits": [{"comment": "change", "changes": [change]}],
            });
            self.api(
                Method::POST,
                &format!("git/repositories/{id}/pushes"),
                Some(push),
            )
            .await?;
        }
        Ok(())
    }

    pub(crate) async fn title(&self, item: u32) -> Result<String> {
        let item = self
            .api(Method::GET, &format!("wit/workitems/{item}"), None)
            .await?;
        Ok(item["fields"]["System.Title"]
            .as_str()
            .context("a work item without a title")?
            .to_owned())
    }

    /// Destroys the item, so that a restore makes it anew.
    pub(crate) async fn delete(&self, item: u32) -> Result<()> {
        self.api(
            Method::DELETE,
            &format!("wit/workitems/{item}?destroy=true"),
            None,
        )
        .await
        .map(drop)
    }
}
