//! Answers have the shapes and headers that were recorded of the service.

use reqwest::Method;
use serde_json::json;

use super::harness::{Contoso, field};

/// Recorded: `POST …/_apis/wit/workItems/$Task` in a project that does not exist.
#[tokio::test]
async fn an_error_carries_the_headers_of_an_answer_but_no_version() {
    let contoso = Contoso::start().await;
    let path = "Nowhere/_apis/wit/workitems/1?api-version=7.1";
    let answer = contoso.get(path).await.expect(404);
    let json = "application/json; charset=utf-8";
    assert_eq!(answer.header("content-type"), json);
    assert_eq!(answer.header("cache-control"), "no-cache");
    assert_eq!(answer.header("pragma"), "no-cache");
    assert_eq!(answer.header("expires"), "-1");
    assert!(answer.header("x-vss-userdata").contains('@'));
    assert_eq!(answer.header("activityid"), answer.header("x-vss-e2eid"));
    let good = contoso.get("_apis/projects?api-version=7.1").await;
    let versioned = format!("{json}; api-version=7.1");
    assert_eq!(good.header("content-type"), versioned);
    assert_ne!(good.header("activityid"), answer.header("activityid"));
}

/// Recorded: `DELETE …/_apis/wit/workItems/0`.
#[tokio::test]
async fn a_path_that_nothing_serves_is_named_without_the_organization() {
    let contoso = Contoso::start().await;
    let path = "Fabrikam/_apis/wit/workItems/0?api-version=7.1";
    let answer = contoso.delete(path).await.expect(404);
    assert_eq!(
        answer.text(),
        "The controller for path '/Fabrikam/_apis/wit/workItems/0' was not found or does not implement IController."
    );
    assert_eq!(
        answer.header("x-tfs-serviceerror"),
        "The%20controller%20for%20path%20%27%2FFabrikam%2F_apis%2Fwit%2FworkItems%2F0%27%20was%20not%20found%20or%20does%20not%20implement%20IController."
    );
    assert_eq!(answer.header("expires"), "");
}

/// Recorded: a client's session comes back; without one it is the activity.
#[tokio::test]
async fn the_session_of_a_client_is_told_back() {
    let contoso = Contoso::start().await;
    let session = "979b2dc2-c37e-46e7-9993-42bb5c47a240";
    let url = format!("{}/contoso/_apis/projects", contoso.simulator.url());
    let request = contoso
        .client
        .get(url)
        .basic_auth("", Some(contoso.simulator.pat()))
        .header("x-tfs-session", session);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["x-tfs-session"], session);
    let none = contoso.get("_apis/projects").await;
    assert_eq!(none.header("x-tfs-session"), none.header("activityid"));
}

/// `{"count":1,"value":{"Message":"The requested resource does not support http method 'POST'."}}`, as users report it.
#[tokio::test]
async fn what_fits_no_operation_is_refused_with_a_message_in_a_list() {
    let contoso = Contoso::start().await;
    let pat = contoso.simulator.pat();
    let put = |path: &'static str, kind: &'static str, body: &'static str| {
        contoso.send(Method::PUT, path, pat, kind, body.into())
    };
    let refused = put("_apis/projects?api-version=7.1", "application/json", "{}").await;
    assert_eq!(
        refused.expect(405).json(),
        json!({"count": 1, "value": {"Message": "The requested resource does not support http method 'PUT'."}})
    );
    let unbound = contoso.get("_apis/projects?$top=many").await.expect(400);
    assert_eq!(
        unbound.json()["value"]["Message"],
        "The request is invalid."
    );
    let path = "Fabrikam/_apis/wit/wiql?api-version=7.1";
    let send = async |kind: &str, body: &str| {
        let body = body.as_bytes().to_vec();
        contoso.send(Method::POST, path, pat, kind, body).await
    };
    let broken = send("application/json", "{").await.expect(400).json();
    assert!(broken["value"]["Message"].is_string(), "{broken}");
    let form = send("application/x-www-form-urlencoded", "query=x").await;
    let form = form.refused(400, "\"application/x-www-form-urlencoded\"");
    assert_eq!(
        form["typeKey"],
        "VssRequestContentTypeNotSupportedException"
    );
}

/// "Valid content types for this method are: application/json-patch+json." with 400, as users report it.
#[tokio::test]
async fn a_patch_must_say_that_it_is_one() {
    let contoso = Contoso::start().await;
    let path = "Fabrikam/_apis/wit/workitems/$Task?api-version=7.1";
    let patch = json!([field("System.Title", "t")]);
    let refused = contoso.post(path, &patch).await.refused(
        400,
        "Content-Type of \"application/json\" for method type \"POST\" which is not supported. Valid content types for this method are: application/json-patch+json.",
    );
    assert_eq!(
        refused["typeKey"],
        "VssRequestContentTypeNotSupportedException"
    );
}

/// Recorded: TF200016 for a name; users report VS800075 for an id.
#[tokio::test]
async fn a_project_that_is_not_there_is_named_as_it_was_asked_for() {
    let contoso = Contoso::start().await;
    let by_name = contoso.get("_apis/projects/Nowhere").await;
    let by_name = by_name.refused(
        404,
        "TF200016: The following project does not exist: Nowhere.",
    );
    assert_eq!(by_name["typeKey"], "ProjectDoesNotExistWithNameException");
    let id = "969d50af-ce8a-4fa8-a262-1b7c9f6f8e8a";
    let by_id = contoso.get(&format!("_apis/projects/{id}")).await;
    let by_id = by_id.refused(404, "VS800075: The project with id 'vstfs:///Classification/TeamProject/969d50af-ce8a-4fa8-a262-1b7c9f6f8e8a' does not exist");
    assert_eq!(by_id["typeKey"], "ProjectDoesNotExistException");
    assert_eq!(by_id["eventId"], 3000);
}

/// `"typeKey":"RuleValidationException","errorCode":0,"eventId":3200`, with the rules in `customProperties`, as users report it.
#[tokio::test]
async fn a_rule_that_is_broken_is_told_beside_the_message() {
    let contoso = Contoso::start().await;
    let refused = contoso.create("Task", "", &json!([])).await;
    let refused = refused.refused(400, "TF401320: Rule Error for field Title.");
    assert_eq!(refused["eventId"], 3200);
    let rule = &refused["customProperties"]["RuleValidationErrors"][0];
    assert_eq!(rule["fieldReferenceName"], "System.Title");
    assert_eq!(rule["fieldStatusFlags"], "required, invalidEmpty");
    assert_eq!(rule["fieldStatusCode"], 524_289);
}

/// Recorded: `GET vssps…/_apis/Identities?searchFilter=General&filterValue=…` and `GET _apis/ConnectionData`.
#[tokio::test]
async fn people_are_described_with_their_tenant() {
    let contoso = Contoso::start().await;
    let me = contoso.get("_apis/connectionData").await.expect(200).json();
    let descriptor = me["authenticatedUser"]["descriptor"].as_str().unwrap();
    let path = "_apis/identities?searchFilter=General&filterValue=admin@contoso.example";
    let found = contoso.get(path).await.expect(200).json();
    let found = &found["value"][0];
    assert_eq!(found["descriptor"], descriptor);
    let text = |name: &str| found["properties"][name]["$value"].as_str().unwrap();
    let (_, owner) = descriptor.split_once(';').unwrap();
    assert_eq!(owner, format!("{}\\{}", text("Domain"), text("Mail")));
    assert_eq!(text("DirectoryAlias"), "admin");
    text("http://schemas.microsoft.com/identity/claims/objectidentifier");
    let by_descriptor = format!(
        "_apis/identities?descriptors={}",
        descriptor.replace('\\', "%5C")
    );
    let again = contoso.get(&by_descriptor).await.expect(200).json();
    assert_eq!(again["value"][0]["id"], me["authenticatedUser"]["id"]);
}

/// `core_get_identity_ids {"searchFilter": "Project"}` of the MCP server must find somebody.
#[tokio::test]
async fn groups_are_found_by_the_beginning_of_their_names() {
    let contoso = Contoso::start().await;
    let search = async |text: &str| {
        let path = format!("_apis/identities?searchFilter=General&filterValue={text}");
        contoso.get(&path).await.expect(200).json()["count"].clone()
    };
    assert_eq!(search("Project").await, 2);
    assert_eq!(search("project%20collection%20admin").await, 1);
    assert_eq!(
        search("%5Bcontoso%5D%5CProject%20Collection%20Valid").await,
        1
    );
    assert_eq!(search("ject").await, 0);
}

/// "You can pass the proper verb as an HTTP request header parameter and use POST" (Get started with the REST APIs).
#[tokio::test]
async fn a_post_may_mean_another_method() {
    let contoso = Contoso::start().await;
    let id = contoso.task("one").await;
    let path = format!("contoso/_apis/wit/workitems/{id}?api-version=7.1");
    let patch = json!([field("System.Title", "two")]);
    let request = contoso
        .client
        .post(format!("{}/{path}", contoso.simulator.url()))
        .basic_auth("", Some(contoso.simulator.pat()))
        .header("content-type", "application/json-patch+json")
        .header("x-http-method-override", "PATCH")
        .body(patch.to_string());
    assert_eq!(request.send().await.unwrap().status(), 200);
    assert_eq!(contoso.item(id).await["fields"]["System.Title"], "two");
}

/// `OPTIONS _apis`: `_apis/{area}/{projectId}/repositories/{repositoryId}/{resource}`.
#[tokio::test]
async fn the_git_area_takes_the_project_behind_its_name_too() {
    let contoso = Contoso::start().await;
    let before = contoso
        .get("Fabrikam/_apis/git/repositories/Fabrikam")
        .await;
    let inside = contoso
        .get("_apis/git/Fabrikam/repositories/Fabrikam")
        .await;
    assert_eq!(before.expect(200).json(), inside.expect(200).json());
    let path = "_apis/git/Nowhere/repositories/Fabrikam";
    contoso.get(path).await.refused(404, "TF200016");
}

/// As every origin server: RFC 9110, 6.6.1.
#[tokio::test]
async fn answers_are_dated_by_the_clock_that_tokens_live_by() {
    let contoso = Contoso::start().await;
    contoso.simulator.keep_time(|| 784_887_151);
    let answer = contoso.get("_apis/projects?api-version=7.1").await;
    assert_eq!(answer.header("date"), "Tue, 15 Nov 1994 08:12:31 GMT");
    contoso.simulator.advance_clock(-60);
    let answer = contoso.get("Nowhere/_apis/wit/workitems/1").await;
    assert_eq!(answer.header("date"), "Tue, 15 Nov 1994 08:11:31 GMT");
}

/// As any resource of the service: a write of what is only read does not look as if it were done.
#[tokio::test]
async fn what_is_only_read_takes_no_other_method() {
    let contoso = Contoso::start().await;
    let read = [
        "_apis/connectiondata",
        "_apis/process/processes",
        "_apis/identities?searchFilter=General&filterValue=a",
        "_apis/teams",
        "_apis/resourceareas",
        "_apis/userentitlements",
        "Fabrikam/_apis/wit/workitemtypes",
        "Fabrikam/_apis/wit/tags",
        "Fabrikam/_apis/wit/classificationnodes",
        "_apis/wit/workitemrelationtypes",
        "_apis/wit/recyclebin",
    ];
    for path in read {
        let mark = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{mark}api-version=7.2-preview");
        contoso.get(&path).await.expect(200);
        for answer in [
            contoso.post(&path, &json!({})).await,
            contoso.patch(&path, &json!([])).await,
            contoso.delete(&path).await,
        ] {
            let refused = answer.expect(405).json();
            let message = refused["value"]["Message"].as_str().unwrap();
            assert!(message.contains("does not support http method"), "{path}");
        }
    }
}

/// Recorded: `PUT …/_apis/wiki/wikis/myprojectwiki/pages?path=abc` with `Accept: …;api-version=5.0`, older than the route to pages by number.
#[tokio::test]
async fn pages_of_wikis_answer_to_the_first_version_that_had_them() {
    let contoso = Contoso::start().await;
    let project = contoso.get("_apis/projects/Fabrikam").await.json()["id"].clone();
    let body = json!({ "type": "projectWiki", "name": "Pages", "projectId": project });
    let wikis = "Fabrikam/_apis/wiki/wikis";
    let made = contoso
        .post(&format!("{wikis}?api-version=5.0"), &body)
        .await;
    made.expect(201);
    let send = async |method: Method, path: &str, body: &str| {
        let url = format!("{}/contoso/{path}", contoso.simulator.url());
        let request = contoso.client.request(method, url);
        let request = request.basic_auth("", Some(contoso.simulator.pat()));
        let request = request.header("accept", "application/json;api-version=5.0");
        let request = request.header("content-type", "application/json");
        request.body(body.to_owned()).send().await.unwrap()
    };
    let page = format!("{wikis}/Pages/pages?path=abc");
    let made = send(Method::PUT, &page, r#"{"content":"first"}"#).await;
    assert_eq!(made.status(), 201);
    let read = send(Method::GET, &format!("{page}&includeContent=true"), "").await;
    assert_eq!(read.status(), 200);
    // A page by its number came later.
    let by_number = send(Method::GET, &format!("{wikis}/Pages/pages/1"), "").await;
    assert_eq!(by_number.status(), 400);
}

/// Recorded: `GET vsaex…/_apis/UserEntitlements?top=100` of seven people.
#[tokio::test]
async fn the_last_page_of_people_has_an_empty_token() {
    let contoso = Contoso::start().await;
    let people = contoso.get("_apis/userentitlements?top=100").await.json();
    assert_eq!(people["continuationToken"], "");
}

/// Recorded: `POST …/_apis/projects/Area1000001/teams`.
#[tokio::test]
async fn the_identity_of_a_team_has_the_recorded_properties() {
    let contoso = Contoso::start().await;
    let path = "_apis/projects/Fabrikam/teams?$expandIdentity=true&api-version=7.1";
    let teams = contoso.get(path).await.json();
    let properties = teams["value"][0]["identity"]["properties"].as_object();
    let mut names: Vec<&str> = properties.unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    let recorded = [
        "Account",
        "Description",
        "Domain",
        "LocalScopeId",
        "Microsoft.TeamFoundation.Team",
        "SchemaClassName",
        "ScopeId",
        "ScopeName",
        "ScopeType",
        "SecuringHostId",
        "SecurityGroup",
        "SpecialType",
        "VirtualPlugin",
    ];
    assert_eq!(names, recorded);
}
