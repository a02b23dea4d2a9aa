//! Microsoft Graph: lists, changes, limits.

use reqwest::Method;
use serde_json::{Value, json};

use super::tenancy::{GRAPH, Tenancy};

impl Tenancy {
    /// Follows a list to its end: entries, requests, and the delta link if there is one.
    async fn follow(&self, path: &str, token: &str) -> (Vec<Value>, usize, String) {
        let (mut found, mut requests, mut next) = (Vec::new(), 0, path.to_owned());
        loop {
            let page = self.get_as(&next, token).await.ok();
            found.extend(page["value"].as_array().unwrap().iter().cloned());
            requests += 1;
            let Some(link) = page["@odata.nextLink"].as_str() else {
                let link = page["@odata.deltaLink"].as_str().unwrap_or_default();
                return (found, requests, link.to_owned());
            };
            link.clone_into(&mut next);
        }
    }

    async fn control(&self, method: Method, path: &str, body: &Value) -> Value {
        let headers = [("content-type", "application/json")];
        let answer = self.request(method, path, &headers, body.to_string()).await;
        assert!(answer.status < 300, "{}", answer.text);
        serde_json::from_str(&answer.text).unwrap_or_default()
    }
}

/// `request-id` and `client-request-id` "are returned in the response header and the body of errors" (learn.microsoft.com, Graph errors).
#[tokio::test]
async fn an_answer_is_named_and_names_the_request_of_the_client() {
    let tenancy = Tenancy::start().await;
    let token = format!("Bearer {}", tenancy.app_token(GRAPH).await);
    let own = "f1d2c3b4-0000-4000-8000-00000000000a";
    let headers = [("authorization", &*token), ("client-request-id", own)];
    let ask = async |path: &str| {
        let sent = tenancy.request(Method::GET, path, &headers, String::new());
        sent.await
    };
    let good = ask("/v1.0/users?$top=1").await;
    assert_eq!(good.headers["client-request-id"], own);
    assert_eq!(good.headers["odata-version"], "4.0");
    let kind = good.headers["content-type"].to_str().unwrap();
    assert!(
        kind.starts_with("application/json;odata.metadata=minimal"),
        "{kind}"
    );
    let bad = ask("/v1.0/users/nobody").await;
    assert_eq!(bad.status, 404);
    let error: Value = serde_json::from_str(&bad.text).unwrap();
    let inner = &error["error"]["innerError"];
    assert_eq!(
        bad.headers["request-id"],
        inner["request-id"].as_str().unwrap()
    );
    assert_ne!(bad.headers["request-id"], good.headers["request-id"]);
}

/// `Request_UnsupportedQuery`: "a special request header: `ConsistencyLevel: eventual`" (learn.microsoft.com, advanced queries).
#[tokio::test]
async fn people_are_searched_only_where_the_answer_may_lag_behind() {
    let tenancy = Tenancy::start().await;
    let token = format!("Bearer {}", tenancy.app_token(GRAPH).await);
    let ask = async |level: &str| {
        let headers = [("authorization", &*token), ("consistencylevel", level)];
        let path = "/v1.0/users?$search=%22displayName:a%22";
        let sent = tenancy.request(Method::GET, path, &headers, String::new());
        sent.await
    };
    let refused = ask("session").await;
    assert_eq!(refused.status, 400);
    assert!(
        refused.text.contains("Request_UnsupportedQuery"),
        "{}",
        refused.text
    );
    assert_eq!(ask("eventual").await.status, 200);
}

#[tokio::test]
async fn lists_are_paged_cut_down_and_filtered() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let (users, requests, _) = tenancy
        .follow("/v1.0//users?%24top=7&$select=id,displayName", &token)
        .await;
    assert_eq!((users.len(), requests), (30, 5));
    let members: Vec<&String> = users[0].as_object().unwrap().keys().collect();
    assert_eq!(members, ["id", "displayName"]);
    let count = async |query: &str| {
        let path = format!("/v1.0/{query}");
        tenancy.follow(&path, &token).await.0.len()
    };
    assert_eq!(count("users?$filter=userType eq 'Guest'").await, 2);
    assert_eq!(count("users?$filter=accountEnabled eq false").await, 3);
    let teams = "groups?$filter=resourceProvisioningOptions/Any(x:x eq 'Team')";
    assert_eq!(count(teams).await, 2);
    assert_eq!(count("sites/getAllSites").await, 6);
    // The search is known to leave sites out.
    assert_eq!(count("sites?search=*").await, 4);
    for wrong in [
        "users?$top=1000",
        "users?$select=nothing",
        "users?$skiptoken=x",
    ] {
        let path = format!("/v1.0/{wrong}");
        assert_eq!(tenancy.get_as(&path, &token).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn a_group_shows_its_direct_members_and_those_of_its_groups() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let groups = tenancy.follow("/v1.0/groups", &token).await.0;
    let id = |name: &str| {
        let found = groups.iter().find(|group| group["displayName"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    };
    let path = format!("/v1.0/groups/{}", id("VPN Users"));
    let direct = tenancy.follow(&format!("{path}/members"), &token).await.0;
    let kinds: Vec<&Value> = direct.iter().map(|member| &member["@odata.type"]).collect();
    assert_eq!(kinds, ["#microsoft.graph.user", "#microsoft.graph.group"]);
    let all = tenancy
        .follow(&format!("{path}/transitiveMembers"), &token)
        .await
        .0;
    assert_eq!(all.len(), 1 + 4 + 7 + 3 + 4 + 4);
}

#[tokio::test]
async fn a_first_round_of_delta_holds_everything_and_a_quiet_one_nothing() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let (users, _, quiet) = tenancy
        .follow("/v1.0/users/delta?$select=displayName,jobTitle", &token)
        .await;
    assert_eq!(users.len(), 30);
    assert!(users.iter().any(|user| user.get("jobTitle").is_none()));
    let (none, requests, _) = tenancy.follow(&quiet, &token).await;
    assert_eq!((none.len(), requests), (0, 1));
    let (groups, _, _) = tenancy
        .follow("/v1.0/groups/delta?$select=displayName,members", &token)
        .await;
    // One group has more members than an entry shows, and comes twice for each such.
    let mut members = std::collections::BTreeMap::<&str, usize>::new();
    for group in &groups {
        let list = group["members@delta"].as_array().map_or(0, Vec::len);
        *members.entry(group["id"].as_str().unwrap()).or_default() += list;
    }
    assert_eq!(members.len(), 8);
    assert!(groups.len() > 8);
    let inventory = tenancy
        .get(&format!(
            "/__inventory?tenant={}",
            tenancy.simulator.tenant()
        ))
        .await
        .ok();
    let total: usize = members.values().sum();
    assert_eq!(inventory["groupMembers"], total);
    assert_eq!(inventory["floor"]["quiet"], 3);
}

#[tokio::test]
async fn delta_brings_what_changed_what_went_and_who_joined() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let first = async |path: &str| tenancy.follow(path, &token).await.2;
    let users = first("/v1.0/users/delta").await;
    let groups = first("/v1.0/groups/delta?$select=displayName,members").await;
    let sites = first("/v1.0/sites/delta").await;
    let day = tenancy
        .control(Method::POST, "/__graph/change", &json!({}))
        .await;
    let (changed, _, after) = tenancy.follow(&users, &token).await;
    assert_eq!(changed.len(), 3);
    let gone: Vec<&Value> = changed
        .iter()
        .filter(|user| user.get("@removed").is_some())
        .collect();
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0]["@removed"]["reason"], "changed");
    let added = &day["added"]["user"];
    assert!(changed.iter().any(|user| user["id"] == *added));
    let moved = tenancy.follow(&groups, &token).await.0;
    assert_eq!(moved.len(), 1);
    assert_eq!(moved[0]["members@delta"][0]["id"], *added);
    let sites = tenancy.follow(&sites, &token).await.0;
    assert_eq!(sites[0]["id"], day["added"]["site"]);
    assert!(tenancy.follow(&after, &token).await.0.is_empty());
    let path = format!("/__graph/users/{}", added.as_str().unwrap());
    tenancy
        .control(Method::DELETE, &path, &json!({"hard": true}))
        .await;
    let gone = tenancy.follow(&after, &token).await.0;
    assert_eq!(
        gone,
        [json!({"id": added, "@removed": {"reason": "deleted"}})]
    );
}

#[tokio::test]
async fn a_round_loses_nobody_when_people_go_between_its_pages() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    for list in [
        "/v1.0/users?$top=10&$select=id",
        "/v1.0/users/delta?$select=id",
    ] {
        let value = format!("Bearer {token}");
        let headers = [
            ("authorization", value.as_str()),
            ("prefer", "odata.maxpagesize=10"),
        ];
        let first = tenancy
            .request(Method::GET, list, &headers, String::new())
            .await
            .ok();
        let seen = first["value"].as_array().unwrap();
        let before: Vec<Value> = tenancy.follow("/v1.0/users?$select=id", &token).await.0;
        let gone = seen[0]["id"].as_str().unwrap();
        tenancy
            .control(
                Method::DELETE,
                &format!("/__graph/users/{gone}"),
                &json!({}),
            )
            .await;
        let next = first["@odata.nextLink"].as_str().unwrap();
        let rest = tenancy.follow(next, &token).await.0;
        for user in before.iter().filter(|user| user["id"] != gone) {
            assert!(
                seen.iter().chain(&rest).any(|own| own["id"] == user["id"]),
                "{list}"
            );
        }
    }
}

#[tokio::test]
async fn a_delta_token_ends_with_where_to_begin_again() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let link = tenancy.follow("/v1.0/users/delta", &token).await.2;
    tenancy
        .control(Method::POST, "/__graph/expire", &json!({}))
        .await;
    let gone = tenancy.get_as(&link, &token).await;
    assert_eq!(gone.status, 410);
    assert_eq!(gone.json()["error"]["code"], "syncStateNotFound");
    let again = gone.headers["location"].to_str().unwrap();
    assert_eq!(tenancy.follow(again, &token).await.0.len(), 30);
    let foreign = tenancy.follow("/v1.0/groups/delta", &token).await.2;
    let mixed = foreign.replace("/groups/", "/users/");
    assert_eq!(tenancy.get_as(&mixed, &token).await.status, 400);
}

#[tokio::test]
async fn limits_and_permissions_are_told_in_the_words_of_graph() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let limit = json!({"count": 1, "retryAfter": 7});
    tenancy
        .control(Method::POST, "/__graph/throttle", &limit)
        .await;
    let refused = tenancy.get_as("/v1.0/users", &token).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.headers["retry-after"], "7");
    assert_eq!(refused.json()["error"]["code"], "TooManyRequests");
    let fault = json!({"fault": "429", "path": "/v1.0/groups*", "count": 1, "retryAfter": 3});
    tenancy.control(Method::POST, "/__faults", &fault).await;
    let refused = tenancy.get_as("/v1.0/groups", &token).await;
    assert_eq!(refused.json()["error"]["code"], "TooManyRequests");
    let roles = json!({"client": tenancy.simulator.client_id(), "roles": ["User.Read.All"]});
    tenancy.simulator.control("principals", &roles).unwrap();
    let token = tenancy.app_token(GRAPH).await;
    tenancy.get_as("/v1.0/users", &token).await.ok();
    let denied = tenancy.get_as("/v1.0/groups", &token).await;
    assert_eq!(denied.status, 403);
    assert_eq!(
        denied.json()["error"]["code"],
        "Authorization_RequestDenied"
    );
    tenancy.simulator.advance_clock(4_000);
    let expired = tenancy.get_as("/v1.0/users", &token).await;
    assert_eq!(expired.status, 401);
    assert_eq!(
        expired.json()["error"]["code"],
        "InvalidAuthenticationToken"
    );
    assert_eq!(tenancy.get("/v1.0/users").await.status, 401);
}

#[tokio::test]
async fn a_batch_answers_each_request_for_itself() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let step = |id: &str, url: &str| json!({"id": id, "method": "GET", "url": url});
    let send = async |steps: Vec<Value>| {
        let value = format!("Bearer {token}");
        let headers = [
            ("authorization", value.as_str()),
            ("content-type", "application/json"),
        ];
        let body = json!({"requests": steps}).to_string();
        tenancy
            .request(Method::POST, "/v1.0/$batch", &headers, body)
            .await
    };
    let answer = send(vec![
        step("1", "/users?$top=1"),
        step("2", "/groups/none"),
        step("3", "/organization"),
    ])
    .await
    .ok();
    let status = |id: &str| {
        let all = answer["responses"].as_array().unwrap();
        all.iter().find(|own| own["id"] == id).unwrap()["status"].clone()
    };
    assert_eq!(
        (status("1"), status("2"), status("3")),
        (json!(200), json!(404), json!(200))
    );
    let many = (0..21).map(|at| step(&at.to_string(), "/users")).collect();
    assert_eq!(send(many).await.status, 400);
    let limit = json!({"count": 1, "retryAfter": 5});
    tenancy
        .control(Method::POST, "/__graph/throttle", &limit)
        .await;
    let mixed = send(vec![step("1", "/users"), step("2", "/users")])
        .await
        .ok();
    let all = mixed["responses"].as_array().unwrap();
    let refused = all.iter().find(|own| own["status"] == 429).unwrap();
    assert_eq!(refused["headers"]["Retry-After"], "5");
    assert!(all.iter().any(|own| own["status"] == 200));
}

#[tokio::test]
async fn files_come_from_another_host_that_refuses_tokens() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(GRAPH).await;
    let path = format!(
        "/v1.0/users/{}/drive/root/children",
        tenancy.simulator.person()
    );
    let items = tenancy.get_as(&path, &token).await.ok();
    let url = items["value"][1]["@microsoft.graph.downloadUrl"]
        .as_str()
        .unwrap();
    assert!(url.contains(".sharepoint.com/"), "{url}");
    assert_eq!(tenancy.get(url).await.text, "Notes of the week\n");
    assert_eq!(tenancy.get_as(url, &token).await.status, 401);
    let unlicensed = "/v1.0/users/contract.worker@contoso.example/drive";
    assert_eq!(tenancy.get_as(unlicensed, &token).await.status, 404);
}
