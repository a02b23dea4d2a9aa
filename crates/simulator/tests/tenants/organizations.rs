//! What organizations make of tokens of their tenant, and who may do what in them.

use reqwest::Method;
use serde_json::{Value, json};

use super::tenancy::{AZURE_DEVOPS, Answer, Tenancy};

const PROJECTS: &str = "/contoso/_apis/projects?api-version=7.1";

impl Tenancy {
    fn access(&self, body: &Value) {
        self.simulator.set_access("contoso", body).unwrap();
    }

    fn token_of(&self, person: &str) -> String {
        self.simulator
            .access_token(person, &["user_impersonation"])
            .unwrap()
    }

    async fn post_as(&self, path: &str, token: &str, body: &Value) -> Answer {
        let value = format!("Bearer {token}");
        let headers = [
            ("authorization", value.as_str()),
            ("content-type", "application/json"),
        ];
        self.request(Method::POST, path, &headers, body.to_string())
            .await
    }

    async fn make_project(&self, name: &str) {
        let token = self.token_of(self.simulator.administrator());
        let body = json!({"name": name, "capabilities": {"versioncontrol": {"sourceControlType": "Git"}, "processTemplate": {"templateTypeId": "adcc42ab-9882-485e-a3ed-7678f01f66bc"}}});
        let made = self.post_as(PROJECTS, &token, &body).await;
        assert_eq!(made.status, 202, "{}", made.text);
        let url = made.json()["url"].as_str().unwrap().to_owned();
        while self.get_as(&url, &token).await.json()["status"] != "succeeded" {}
    }
}

#[track_caller]
fn says(answer: &Answer, status: u16, words: &str) {
    assert_eq!(answer.status, status, "{}", answer.text);
    assert!(answer.text.contains(words), "{}", answer.text);
}

#[tokio::test]
async fn members_enter_and_others_are_told_why_not() {
    let tenancy = Tenancy::start().await;
    let person = tenancy.simulator.person();
    let token = tenancy.token_of(person);
    tenancy.get_as(PROJECTS, &token).await.ok();
    // In the tenant, not in the organization.
    let outsider = tenancy.token_of("megan.bowen@contoso.example");
    says(&tenancy.get_as(PROJECTS, &outsider).await, 401, "TF400813");
    let stranger = tenancy.token_of("mona.kane@fabrikam.example");
    says(
        &tenancy.get_as(PROJECTS, &stranger).await,
        401,
        "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa",
    );
    tenancy.access(&json!({"person": person, "entered": false}));
    says(&tenancy.get_as(PROJECTS, &token).await, 401, "TF401444");
    tenancy.access(&json!({"person": person, "entered": true, "member": false}));
    says(&tenancy.get_as(PROJECTS, &token).await, 401, "TF400813");
}

#[tokio::test]
async fn tokens_that_are_forged_expired_or_for_another_service_get_the_sign_in_page() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.token_of(tenancy.simulator.person());
    let mut parts: Vec<&str> = token.split('.').collect();
    let other = tenancy.token_of(tenancy.simulator.administrator());
    parts[1] = other.split('.').nth(1).unwrap();
    let forged = parts.join(".");
    assert_eq!(tenancy.get_as(PROJECTS, &forged).await.status, 203);
    let graph = tenancy
        .app_token("https://graph.microsoft.com/.default")
        .await;
    assert_eq!(tenancy.get_as(PROJECTS, &graph).await.status, 203);
    tenancy.get_as(PROJECTS, &token).await.ok();
    tenancy.simulator.advance_clock(3_600);
    assert_eq!(tenancy.get_as(PROJECTS, &token).await.status, 203);
}

#[tokio::test]
async fn an_application_enters_where_it_was_added() {
    let tenancy = Tenancy::start().await;
    let token = tenancy.app_token(AZURE_DEVOPS).await;
    tenancy.get_as(PROJECTS, &token).await.ok();
    tenancy.simulator.add_organization("adventure-works").await;
    let path = "/adventure-works/_apis/projects?api-version=7.1";
    says(&tenancy.get_as(path, &token).await, 401, "TF401444");
    let client = tenancy.simulator.client_id();
    let add = json!({"application": client});
    tenancy
        .simulator
        .set_access("adventure-works", &add)
        .unwrap();
    tenancy.get_as(path, &token).await.ok();
    let me = tenancy
        .get_as("/contoso/_apis/connectionData", &token)
        .await
        .ok();
    let own = me["authenticatedUser"]["subjectDescriptor"]
        .as_str()
        .unwrap();
    assert!(own.starts_with("aadsp."), "{own}");
    // It is in no list of organizations.
    let id = me["authenticatedUser"]["id"].as_str().unwrap();
    let path = format!("/_apis/accounts?memberId={id}&api-version=7.1");
    assert_eq!(tenancy.get_as(&path, &token).await.ok()["count"], 0);
}

#[tokio::test]
async fn the_profile_lists_the_organizations_of_a_person_in_the_tenant_of_the_token() {
    let tenancy = Tenancy::start().await;
    let simulator = &tenancy.simulator;
    simulator.add_organization("adventure-works").await;
    simulator
        .add_organization_in("fabrikam", &simulator.other_tenant())
        .unwrap();
    let token = tenancy.token_of(simulator.person());
    let me = tenancy
        .get_as("/_apis/profile/profiles/me?api-version=7.1", &token)
        .await
        .ok();
    assert_eq!(me["emailAddress"], simulator.person());
    let path = format!(
        "/app.vssps.visualstudio.com/_apis/accounts?memberId={}",
        me["id"].as_str().unwrap()
    );
    let names = |value: &Value| -> Vec<String> {
        let list = value["value"].as_array().unwrap().iter();
        list.map(|own| own["accountName"].as_str().unwrap().to_owned())
            .collect()
    };
    let listed = tenancy.get_as(&path, &token).await.ok();
    assert_eq!(names(&listed), ["adventure-works", "contoso"]);
    let pat = simulator.pat();
    assert_eq!(tenancy.get_as(&path, pat).await.status, 401);
    let mona = tenancy.token_of("mona.kane@fabrikam.example");
    let other = tenancy
        .get_as("/_apis/profile/profiles/me", &mona)
        .await
        .ok();
    let path = format!("/_apis/accounts?memberId={}", other["id"].as_str().unwrap());
    assert_eq!(
        names(&tenancy.get_as(&path, &mona).await.ok()),
        ["fabrikam"]
    );
    tenancy.get_as("/fabrikam/_apis/projects", &mona).await.ok();
    let refused = tenancy.get_as("/_apis/accounts", &token).await;
    assert_eq!(refused.status, 400, "{}", refused.text);
}

#[tokio::test]
async fn the_address_of_an_organization_names_its_tenant() {
    let tenancy = Tenancy::start().await;
    let simulator = &tenancy.simulator;
    simulator
        .add_organization_in("fabrikam", &simulator.other_tenant())
        .unwrap();
    let head = async |name: &str| {
        tenancy
            .request(Method::HEAD, &format!("/{name}"), &[], String::new())
            .await
    };
    let tenant = |answer: &Answer| {
        answer.headers["x-vss-resourcetenant"]
            .to_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(tenant(&head("contoso").await), simulator.tenant());
    assert_eq!(tenant(&head("fabrikam").await), simulator.other_tenant());
    let nobody = head("nobody").await;
    assert_eq!(nobody.status, 404);
    assert!(nobody.headers.get("x-vss-resourcetenant").is_none());
    tenancy.access(&json!({"personal": true}));
    assert_eq!(
        tenant(&head("contoso").await),
        "00000000-0000-0000-0000-000000000000"
    );
}

#[tokio::test]
async fn policies_of_the_organization_are_shown_to_administrators_and_obeyed() {
    let tenancy = Tenancy::start().await;
    let path = "/contoso/_apis/OrganizationPolicy/Policies/Policy.DisallowOAuthAuthentication";
    let admin = tenancy.token_of(tenancy.simulator.administrator());
    let person = tenancy.token_of(tenancy.simulator.person());
    assert_eq!(tenancy.get_as(path, &admin).await.ok()["value"], false);
    says(&tenancy.get_as(path, &person).await, 403, "TF50309");
    tenancy.access(&json!({"thirdPartyAccess": false}));
    says(&tenancy.get_as(PROJECTS, &admin).await, 401, "TF400813");
    let app = tenancy.app_token(AZURE_DEVOPS).await;
    tenancy.get_as(PROJECTS, &app).await.ok();
    tenancy.access(&json!({"thirdPartyAccess": true, "conditionalAccess": true}));
    says(&tenancy.get_as(PROJECTS, &admin).await, 403, "VS403463");
}

#[tokio::test]
async fn administrators_of_the_collection_are_found_by_their_group() {
    let tenancy = Tenancy::start().await;
    let admin = tenancy.token_of(tenancy.simulator.administrator());
    let groups = tenancy
        .get_as("/contoso/_apis/graph/groups", &admin)
        .await
        .ok();
    let group = groups["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|group| group["principalName"] == "[contoso]\\Project Collection Administrators")
        .unwrap()["descriptor"]
        .as_str()
        .unwrap()
        .to_owned();
    let is_in = async |token: &str| {
        let me = tenancy
            .get_as("/contoso/_apis/connectionData", token)
            .await
            .ok();
        let own = me["authenticatedUser"]["subjectDescriptor"]
            .as_str()
            .unwrap();
        let path = format!("/contoso/_apis/graph/memberships/{own}/{group}");
        let value = format!("Bearer {token}");
        let headers = [("authorization", value.as_str())];
        tenancy
            .request(Method::HEAD, &path, &headers, String::new())
            .await
            .status
    };
    let person = tenancy.token_of(tenancy.simulator.person());
    assert_eq!(is_in(&admin).await, 200);
    assert_eq!(is_in(&person).await, 404);
    let rights = json!({"evaluations": [{"securityNamespaceId": "3e65f728-f8bc-4ecd-8764-7e378b19bfa7", "token": "NAMESPACE:", "permissions": 2048}]});
    let path = "/contoso/_apis/security/permissionevaluationbatch?api-version=7.1";
    let may = tenancy.post_as(path, &person, &rights).await.ok();
    assert_eq!(may["evaluations"][0]["value"], false);
    tenancy.access(&json!({"person": tenancy.simulator.person(), "administrator": true}));
    assert_eq!(is_in(&person).await, 200);
    let may = tenancy.post_as(path, &person, &rights).await.ok();
    assert_eq!(may["evaluations"][0]["value"], true);
    let found = tenancy
        .get_as("/contoso/_apis/identities?searchFilter=General&filterValue=%5Bcontoso%5D%5CProject%20Collection%20Administrators&queryMembership=Direct", &admin)
        .await
        .ok();
    assert_eq!(found["value"][0]["memberIds"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn people_see_only_the_projects_and_repositories_that_they_may_read() {
    let tenancy = Tenancy::start().await;
    tenancy.make_project("Open").await;
    tenancy.make_project("Closed").await;
    let admin = tenancy.token_of(tenancy.simulator.administrator());
    let person = tenancy.simulator.person();
    let token = tenancy.token_of(person);
    let all = tenancy.get_as(PROJECTS, &admin).await.ok();
    let closed = all["value"]
        .as_array()
        .unwrap()
        .iter()
        .find(|project| project["name"] == "Closed")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    tenancy.access(&json!({"person": person, "deny": {
        "namespace": "52d39943-cb85-4d7f-8fa8-c6baac873819",
        "token": format!("$PROJECT:vstfs:///Classification/TeamProject/{closed}"),
        "bits": 1,
    }}));
    let count =
        async |token: &str, path: &str| tenancy.get_as(path, token).await.ok()["count"].clone();
    assert_eq!(count(&token, PROJECTS).await, 1);
    assert_eq!(count(&admin, PROJECTS).await, 2);
    says(
        &tenancy
            .get_as("/contoso/_apis/projects/Closed", &token)
            .await,
        404,
        "TF200016",
    );
    let repositories = "/contoso/_apis/git/repositories";
    assert_eq!(count(&token, repositories).await, 1);
    assert_eq!(count(&admin, repositories).await, 2);
    tenancy.access(&json!({"person": person, "stakeholder": true}));
    assert_eq!(count(&token, repositories).await, 0);
    let id = tenancy
        .get_as("/contoso/_apis/connectionData", &token)
        .await
        .ok()["authenticatedUser"]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let own = tenancy
        .get_as(&format!("/contoso/_apis/userentitlements/{id}"), &token)
        .await
        .ok();
    assert_eq!(own["accessLevel"]["accountLicenseType"], "stakeholder");
    let refs = tenancy
        .get_as(
            "/contoso/Open/_git/Open/info/refs?service=git-upload-pack",
            &token,
        )
        .await;
    says(&refs, 404, "TF401019");
}

#[tokio::test]
async fn delegated_scopes_limit_what_a_person_reads() {
    let tenancy = Tenancy::start().await;
    let person = tenancy.simulator.person();
    let token = tenancy
        .simulator
        .access_token(person, &["vso.project"])
        .unwrap();
    tenancy.get_as(PROJECTS, &token).await.ok();
    let refused = tenancy
        .get_as("/contoso/_apis/git/repositories", &token)
        .await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.text, "{\"count\":0,\"value\":[]}");
}
