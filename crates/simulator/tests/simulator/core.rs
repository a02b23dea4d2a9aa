//! Projects and teams.

use reqwest::Method;
use serde_json::{Value, json};

use super::harness::Contoso;

#[tokio::test]
async fn a_project_appears_when_its_operation_has_succeeded_and_has_a_team_nodes_and_a_repository()
{
    let contoso = Contoso::start().await;
    let body = json!({"name": "Tailspin", "description": "Toys", "capabilities": {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": "b8a3a935-7e91-48b8-a94c-606d37c3e9f2"}}});
    let operation = contoso
        .post("_apis/projects?api-version=7.1", &body)
        .await
        .expect(202)
        .json();
    assert_eq!(operation["status"], "notSet");
    contoso.get("_apis/projects/Tailspin").await.expect(404);
    let path = format!("_apis/operations/{}", operation["id"].as_str().unwrap());
    assert_eq!(contoso.get(&path).await.json()["status"], "inProgress");
    assert_eq!(contoso.get(&path).await.json()["status"], "succeeded");
    let project = contoso
        .get("_apis/projects/tailspin?includeCapabilities=true")
        .await
        .expect(200)
        .json();
    assert_eq!(project["name"], "Tailspin");
    assert_eq!(
        project["capabilities"]["processTemplate"]["templateName"],
        "Basic"
    );
    assert_eq!(project["defaultTeam"]["name"], "Tailspin Team");
    let repositories = contoso
        .get("Tailspin/_apis/git/repositories?api-version=7.1")
        .await
        .expect(200)
        .json();
    assert_eq!(repositories["value"][0]["name"], "Tailspin");
    let nodes = contoso
        .get("Tailspin/_apis/wit/classificationnodes")
        .await
        .expect(200)
        .json();
    assert_eq!(nodes["value"][0]["path"], "\\Tailspin\\Area");
    contoso
        .post("_apis/projects?api-version=7.1", &body)
        .await
        .refused(400, "TF200019");
}

#[tokio::test]
async fn a_project_that_is_being_made_is_listed_as_pending_alone() {
    let contoso = Contoso::start().await;
    let basic = "b8a3a935-7e91-48b8-a94c-606d37c3e9f2";
    let body = json!({"name": "Tailspin", "capabilities": {"processTemplate": {"templateTypeId": basic}, "versioncontrol": {"sourceControlType": "Git"}}});
    contoso
        .post("_apis/projects?api-version=7.1", &body)
        .await
        .expect(202);
    let states = async |filter: &str| {
        let path = format!("_apis/projects?stateFilter={filter}");
        let listed = contoso.get(&path).await.json();
        let listed = listed["value"].as_array().unwrap().iter();
        listed
            .map(|project| project["state"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(states("all").await, ["wellFormed", "createPending"]);
    assert_eq!(states("wellFormed").await, ["wellFormed"]);
}

#[tokio::test]
async fn a_deleted_project_keeps_its_name_and_is_listed_as_deleted() {
    let contoso = Contoso::start().await;
    contoso.task("goes with its project").await;
    contoso
        .delete("_apis/projects/Fabrikam?api-version=7.1")
        .await
        .expect(202);
    assert_eq!(contoso.get("_apis/projects").await.json()["count"], 0);
    let deleted = contoso
        .get("_apis/projects?stateFilter=deleted")
        .await
        .json();
    assert_eq!(
        (&deleted["value"][0]["name"], &deleted["value"][0]["state"]),
        (&json!("Fabrikam"), &json!("deleted"))
    );
    contoso
        .get("_apis/wit/workitems/1")
        .await
        .refused(404, "TF401232");
    let body = json!({"name": "Fabrikam", "capabilities": {"processTemplate": {"templateTypeId": "adcc42ab-9882-485e-a3ed-7678f01f66bc"}}});
    contoso
        .post("_apis/projects?api-version=7.1", &body)
        .await
        .refused(400, "TF200019");
}

#[tokio::test]
async fn a_deleted_project_comes_back_with_all_that_it_had() {
    let contoso = Contoso::start().await;
    let task = contoso.task("goes and comes with its project").await;
    let before = contoso.item(task).await;
    let project = contoso.get("_apis/projects/Fabrikam").await.json();
    let path = format!(
        "_apis/projects/{}?api-version=7.1",
        project["id"].as_str().unwrap()
    );
    let parts = [
        "_apis/git/repositories",
        "_apis/projects/Fabrikam/teams",
        "Fabrikam/_apis/wit/classificationnodes",
    ];
    let ids = async |part: &str| -> Vec<Value> {
        let listed = contoso.get(part).await.expect(200).json();
        let all = listed["value"].as_array().unwrap().iter();
        all.map(|one| one["id"].clone()).collect()
    };
    let mut had = Vec::new();
    for part in parts {
        had.push(ids(part).await);
    }
    contoso.delete(&path).await.expect(202);
    for state in ["wellFormed", "all"] {
        let path = format!("_apis/projects?stateFilter={state}");
        assert_eq!(contoso.get(&path).await.json()["count"], 0, "{state}");
    }
    contoso
        .patch(&path, &json!({"name": "Another"}))
        .await
        .refused(404, "VS800075");
    contoso
        .patch(&path, &json!({"state": "wellFormed"}))
        .await
        .expect(202);
    for (part, had) in parts.iter().zip(had) {
        assert!(!had.is_empty(), "{part}");
        assert_eq!(ids(part).await, had, "{part}");
    }
    assert_eq!(contoso.item(task).await, before);
    let deleted = contoso.get("_apis/projects?stateFilter=deleted").await;
    assert_eq!(deleted.json()["count"], 0);
}

#[tokio::test]
async fn pages_of_projects_are_announced_by_a_header_alone() {
    let contoso = Contoso::start().await;
    for name in ["Alpha", "Beta"] {
        contoso.project(name).await;
    }
    let first = contoso.get("_apis/projects?$top=2").await.expect(200);
    assert_eq!(first.json()["count"], 2);
    let token = first.header("x-ms-continuationtoken").to_owned();
    let second = contoso
        .get(&format!("_apis/projects?$top=2&continuationToken={token}"))
        .await
        .expect(200);
    assert_eq!(second.json()["value"][0]["name"], "Beta");
    assert_eq!(second.header("x-ms-continuationtoken"), "");
}

#[tokio::test]
async fn members_join_a_team_through_its_group_and_administer_it_through_an_entry() {
    let contoso = Contoso::start().await;
    let team = contoso
        .post(
            "_apis/projects/Fabrikam/teams?api-version=7.1",
            &json!({"name": "Web", "description": "Pages"}),
        )
        .await
        .expect(201)
        .json();
    let (id, group) = (
        team["id"].as_str().unwrap(),
        team["identity"]["subjectDescriptor"].as_str().unwrap(),
    );
    let users = contoso
        .get("_apis/graph/users?api-version=7.1-preview.1")
        .await
        .expect(200)
        .json();
    let user = &users["value"][0];
    let path = format!(
        "_apis/graph/memberships/{}/{group}?api-version=7.1-preview.1",
        user["descriptor"].as_str().unwrap()
    );
    contoso
        .send(
            Method::PUT,
            &path,
            contoso.simulator.pat(),
            "application/json",
            Vec::new(),
        )
        .await
        .expect(201);
    let members = format!("_apis/projects/Fabrikam/teams/{id}/members?api-version=7.1");
    let listed = contoso.get(&members).await.expect(200).json();
    assert_eq!(
        listed["value"][0]["identity"]["uniqueName"],
        user["mailAddress"]
    );
    assert!(listed["value"][0].get("isTeamAdmin").is_none());
    let project = team["projectId"].as_str().unwrap();
    let entry = json!({"token": format!("{project}\\{id}"), "merge": true, "accessControlEntries": [{"descriptor": format!("Microsoft.IdentityModel.Claims.ClaimsIdentity;x\\{}", user["mailAddress"].as_str().unwrap()), "allow": 31, "deny": 0}]});
    contoso
        .post(
            "_apis/accesscontrolentries/5a27515b-ccd7-42c9-84f1-54c998f03866?api-version=7.1",
            &entry,
        )
        .await
        .expect(200);
    assert_eq!(
        contoso.get(&members).await.json()["value"][0]["isTeamAdmin"],
        true
    );
}

#[tokio::test]
async fn the_catalogue_lists_every_location_on_a_base_url() {
    let contoso = Contoso::start().await;
    let all = contoso
        .send(
            Method::OPTIONS,
            "_apis",
            contoso.simulator.pat(),
            "application/json",
            Vec::new(),
        )
        .await
        .expect(200)
        .json();
    assert!(all["count"].as_u64().unwrap() > 800);
    let wit = contoso
        .send(
            Method::OPTIONS,
            "_apis/wit",
            contoso.simulator.pat(),
            "application/json",
            Vec::new(),
        )
        .await
        .expect(200)
        .json();
    assert!(
        wit["value"]
            .as_array()
            .unwrap()
            .iter()
            .all(|route| route["area"] == "wit")
    );
    assert!(
        wit["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|route| route["id"] == "72c7ddf8-2cdc-4f60-90cd-ab71c14a399b")
    );
}

/// "$mine: If true return all the teams requesting user is member" (Core REST, Teams - Get Teams).
#[tokio::test]
async fn the_teams_of_the_caller_can_be_listed() {
    let contoso = Contoso::start().await;
    let teams = "_apis/projects/Fabrikam/teams?api-version=7.1";
    let body = json!({"name": "Others"});
    contoso.post(teams, &body).await.expect(201);
    assert_eq!(contoso.get(teams).await.json()["count"], 2);
    let mine = contoso.get(&format!("{teams}&$mine=true")).await.json();
    assert_eq!(mine["count"], 1);
    assert_eq!(mine["value"][0]["name"], "Fabrikam Team");
}

/// Descriptors - Get, Storage Keys - Get, Groups - List, Membership States - Get (Graph REST), as az devops asks for the groups of a project.
#[tokio::test]
async fn groups_are_found_by_the_descriptor_of_their_project() {
    let contoso = Contoso::start().await;
    contoso.project("Other").await;
    let read = async |path: &str| contoso.get(path).await.expect(200).json();
    let project = read("_apis/projects/Fabrikam?api-version=7.1").await;
    let key = project["id"].as_str().unwrap().to_owned();
    let scope = read(&format!(
        "_apis/graph/descriptors/{key}?api-version=7.1-preview.1"
    ))
    .await;
    let name = scope["value"].as_str().unwrap();
    assert!(name.starts_with("scp."), "{scope}");
    let subject = scope["_links"]["subject"]["href"].as_str().unwrap();
    assert!(
        subject.ends_with(&format!("/_apis/Graph/Scopes/{name}")),
        "{scope}"
    );
    let groups = "_apis/graph/groups?api-version=7.1-preview.1";
    let own = read(&format!("{groups}&scopeDescriptor={name}")).await;
    let [team] = &own["value"].as_array().unwrap()[..] else {
        panic!("{own}");
    };
    assert_eq!(team["principalName"], "[Fabrikam]\\Fabrikam Team");
    assert_eq!(read(groups).await["count"], 4);
    let descriptor = team["descriptor"].as_str().unwrap();
    let version = "api-version=7.1-preview.1";
    let stored = read(&format!("_apis/graph/storagekeys/{descriptor}?{version}")).await;
    assert_eq!(stored["value"], team["originId"]);
    let state = read(&format!(
        "_apis/graph/membershipstates/{descriptor}?{version}"
    ))
    .await;
    assert_eq!(state["active"], true);
    for missing in [
        format!("{groups}&scopeDescriptor=scp.none"),
        format!("_apis/graph/storagekeys/vssgp.none?{version}"),
        format!("_apis/graph/descriptors/{}?{version}", uuid::Uuid::nil()),
    ] {
        contoso.get(&missing).await.refused(404, "VS860010");
    }
}
