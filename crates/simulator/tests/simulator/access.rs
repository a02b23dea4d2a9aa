//! Who may do what, and how refusals look.

use reqwest::Method;
use serde_json::json;

use super::harness::Contoso;

#[tokio::test]
async fn a_wrong_token_gets_the_sign_in_page_for_reads_and_401_for_patches() {
    let contoso = Contoso::start().await;
    let page = contoso
        .send(
            Method::GET,
            "_apis/projects",
            "wrong",
            "application/json",
            Vec::new(),
        )
        .await
        .expect(203);
    assert!(
        page.header("content-type").starts_with("text/html"),
        "{page:?}"
    );
    let refused = contoso
        .send(
            Method::PATCH,
            "_apis/projects/Fabrikam?api-version=7.1",
            "wrong",
            "application/json",
            b"{}".to_vec(),
        )
        .await;
    refused.refused(401, "TF400813");
}

#[tokio::test]
async fn nobody_is_redirected_unless_the_redirect_is_suppressed() {
    let contoso = Contoso::start().await;
    let url = format!("{}/contoso/_apis/projects", contoso.simulator.url());
    let redirect = contoso.client.get(&url).send().await.unwrap();
    assert_eq!(redirect.status(), 302);
    assert!(
        redirect.headers()["location"]
            .to_str()
            .unwrap()
            .contains("_signin")
    );
    let plain = contoso
        .client
        .get(&url)
        .header("X-TFS-FedAuthRedirect", "Suppress")
        .send()
        .await
        .unwrap();
    assert_eq!(plain.status(), 401);
    assert!(
        plain
            .headers()
            .get_all("www-authenticate")
            .iter()
            .any(|value| value.to_str().unwrap().starts_with("Basic"))
    );
}

#[tokio::test]
async fn a_token_is_good_for_one_organization_and_its_scopes() {
    let contoso = Contoso::start().await;
    let other = contoso.simulator.add_organization("adventure-works").await;
    contoso
        .send(
            Method::GET,
            "_apis/projects",
            &other,
            "application/json",
            Vec::new(),
        )
        .await
        .expect(203);
    let read = contoso
        .simulator
        .add_pat("contoso", &["vso.project", "vso.work"])
        .await;
    contoso
        .send(
            Method::GET,
            "_apis/projects",
            &read,
            "application/json",
            Vec::new(),
        )
        .await
        .expect(200);
    let code = contoso
        .send(
            Method::GET,
            "_apis/git/repositories",
            &read,
            "application/json",
            Vec::new(),
        )
        .await
        .expect(401);
    assert_eq!(code.text(), "{\"count\":0,\"value\":[]}");
    let write = contoso
        .send(
            Method::POST,
            "Fabrikam/_apis/wit/workitems/$Task?api-version=7.1",
            &read,
            "application/json-patch+json",
            b"[]".to_vec(),
        )
        .await;
    write.refused(401, "TF400813");
    let manage = contoso
        .simulator
        .add_pat("contoso", &["vso.code_manage"])
        .await;
    contoso
        .send(
            Method::GET,
            "_apis/git/repositories?api-version=7.1",
            &manage,
            "application/json",
            Vec::new(),
        )
        .await
        .expect(200);
}

#[tokio::test]
async fn bearer_tokens_are_taken_too() {
    let contoso = Contoso::start().await;
    let url = format!("{}/contoso/_apis/connectionData", contoso.simulator.url());
    let answer = contoso
        .client
        .get(&url)
        .bearer_auth(contoso.simulator.pat())
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
}

#[tokio::test]
async fn versions_are_demanded_of_writes_and_previews_must_be_named() {
    let contoso = Contoso::start().await;
    contoso.get("_apis/projects").await.expect(200);
    let error = contoso
        .post(
            "_apis/wit/wiql",
            &json!({"query": "SELECT [System.Id] FROM WorkItems"}),
        )
        .await
        .refused(400, "No api-version was supplied");
    assert_eq!(error["typeKey"], "VssVersionNotSpecifiedException");
    let error = contoso
        .get("_apis/teams?api-version=7.1")
        .await
        .refused(400, "under preview");
    assert_eq!(error["typeKey"], "VssInvalidPreviewVersionException");
    contoso
        .get("_apis/teams?api-version=7.1-preview.3")
        .await
        .expect(200);
    contoso
        .get("_apis/teams?api-version=7.1-preview.9")
        .await
        .expect(400);
    contoso
        .get("_apis/projects?api-version=9.0")
        .await
        .refused(400, "out of range");
}

#[tokio::test]
async fn unknown_places_are_named_in_the_forms_of_the_service() {
    let contoso = Contoso::start().await;
    let text = contoso.get("_apis/nonsense").await.expect(404);
    assert!(text.header("content-type").starts_with("text/plain"));
    assert!(
        text.text().starts_with("The controller for path"),
        "{}",
        text.text()
    );
    let error = contoso
        .get("Nowhere/_apis/wit/classificationnodes")
        .await
        .refused(404, "TF200016");
    assert_eq!(error["typeKey"], "ProjectDoesNotExistWithNameException");
}

#[tokio::test]
async fn the_tenant_is_told_to_anyone() {
    let contoso = Contoso::start().await;
    let answer = contoso
        .client
        .head(format!("{}/contoso", contoso.simulator.url()))
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert!(answer.headers().contains_key("x-vss-resourcetenant"));
    let unknown = contoso
        .client
        .head(format!("{}/nobody", contoso.simulator.url()))
        .send()
        .await
        .unwrap();
    assert!(!unknown.headers().contains_key("x-vss-resourcetenant"));
}

#[tokio::test]
async fn real_host_names_are_routed_and_kept_in_answers() {
    let contoso = Contoso::start().await;
    let get = |host: &'static str, path: &'static str| {
        let request = contoso
            .client
            .get(format!("{}/{path}", contoso.simulator.url()))
            .header("host", host)
            .basic_auth("", Some(contoso.simulator.pat()));
        async move {
            serde_json::from_slice::<serde_json::Value>(
                &request.send().await.unwrap().bytes().await.unwrap(),
            )
            .unwrap()
        }
    };
    let modern = get("dev.azure.com", "contoso/_apis/projects").await;
    assert!(
        modern["value"][0]["url"]
            .as_str()
            .unwrap()
            .starts_with("https://dev.azure.com/contoso/_apis/projects/"),
        "{modern}"
    );
    let old = get("contoso.visualstudio.com", "_apis/projects").await;
    assert!(
        old["value"][0]["url"]
            .as_str()
            .unwrap()
            .starts_with("https://contoso.visualstudio.com/_apis/projects/"),
        "{old}"
    );
    let areas = get("dev.azure.com", "contoso/_apis/resourceAreas").await;
    assert_eq!(areas["count"], 230);
    assert!(
        areas["value"]
            .as_array()
            .unwrap()
            .iter()
            .any(|area| area["locationUrl"] == "https://vssps.dev.azure.com/contoso/")
    );
}

#[tokio::test]
async fn a_global_token_opens_every_organization() {
    let contoso = Contoso::start().await;
    contoso.simulator.add_organization("adventure-works").await;
    let made = contoso
        .post(
            "/__pats",
            &json!({"organization": "*", "scopes": ["app_token"]}),
        )
        .await
        .expect(201)
        .json();
    let pat = made["pat"].as_str().unwrap();
    for organization in ["contoso", "adventure-works"] {
        let url = format!("{}/{organization}/_apis/projects", contoso.simulator.url());
        let answer = contoso
            .client
            .get(url)
            .basic_auth("", Some(pat))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), 200);
    }
    contoso
        .post("/__pats", &json!({"organization": "nobody", "scopes": []}))
        .await
        .expect(404);
}

#[tokio::test]
async fn people_are_found_by_the_start_of_a_name() {
    let contoso = Contoso::start().await;
    let found = contoso
        .get("_apis/identities?searchFilter=General&filterValue=admin&api-version=7.1")
        .await
        .expect(200)
        .json();
    assert_eq!(
        (
            &found["count"],
            &found["value"][0]["properties"]["Mail"]["$value"]
        ),
        (&json!(1), &json!("admin@contoso.example"))
    );
    let nobody = contoso
        .get("_apis/identities?searchFilter=General&filterValue=zzz&api-version=7.1")
        .await
        .expect(200)
        .json();
    assert_eq!(nobody["count"], 0);
}
