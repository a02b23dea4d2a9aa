//! People sign in: codes, consent, refresh, devices.

use serde_json::json;

use super::tenancy::{AZURE_DEVOPS, BACK, GRAPH, Tenancy, claims};

const SCOPE: &str = "openid offline_access 499b84ac-1321-427f-aa17-267ca6975798/.default";

#[tokio::test]
async fn discovery_names_the_endpoints_and_the_issuer_of_id_tokens() {
    let tenancy = Tenancy::start().await;
    let path = "/contoso.onmicrosoft.com/v2.0/.well-known/openid-configuration";
    let document = tenancy.get(path).await.ok();
    let tenant = tenancy.simulator.tenant();
    let url = tenancy.simulator.url();
    assert_eq!(document["issuer"], format!("{url}/{tenant}/v2.0"));
    let keys = document["jwks_uri"].as_str().unwrap();
    assert!(tenancy.get(keys).await.ok()["keys"][0]["n"].is_string());
    let any = tenancy
        .get("/organizations/v2.0/.well-known/openid-configuration")
        .await
        .ok();
    assert_eq!(any["issuer"], format!("{url}/{{tenantid}}/v2.0"));
    let tokens = tenancy
        .person_tokens(tenancy.simulator.person(), SCOPE)
        .await;
    let id = claims(tokens["id_token"].as_str().unwrap());
    let graph = tenancy
        .person_tokens(tenancy.simulator.person(), "openid User.Read")
        .await;
    let userinfo = document["userinfo_endpoint"].as_str().unwrap();
    let token = graph["access_token"].as_str().unwrap();
    assert_eq!(tenancy.get_as(userinfo, token).await.ok()["sub"], id["sub"]);
    assert_eq!(id["iss"], document["issuer"]);
    assert_eq!(id["preferred_username"], tenancy.simulator.person());
    tenancy
        .get("/nowhere.example/v2.0/.well-known/openid-configuration")
        .await
        .refused("invalid_request", 90_002);
}

#[tokio::test]
async fn a_code_is_good_once_and_a_second_use_ends_what_the_first_brought() {
    let tenancy = Tenancy::start().await;
    tenancy
        .simulator
        .sign_in_at_once(tenancy.simulator.person());
    let path = tenancy.authorize("organizations", SCOPE, &[("nonce", "n1")]);
    let returned = tenancy.get(&path).await.returned();
    assert_eq!(returned["state"], "s1");
    let tokens = tenancy.redeem(&returned["code"], &[]).await.ok();
    assert_eq!(claims(tokens["id_token"].as_str().unwrap())["nonce"], "n1");
    let refresh = tokens["refresh_token"].as_str().unwrap();
    tenancy.refresh(refresh, SCOPE).await.ok();
    tenancy
        .redeem(&returned["code"], &[])
        .await
        .refused("invalid_grant", 54_005);
    tenancy
        .refresh(refresh, SCOPE)
        .await
        .refused("invalid_grant", 70_000);
}

#[tokio::test]
async fn a_code_needs_the_verifier_of_its_challenge_and_its_own_reply_address() {
    let tenancy = Tenancy::start().await;
    tenancy
        .simulator
        .sign_in_at_once(tenancy.simulator.person());
    // The pair of RFC 7636, appendix B.
    let challenge = [
        (
            "code_challenge",
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        ),
        ("code_challenge_method", "S256"),
    ];
    let verifier = (
        "code_verifier",
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    );
    let path = tenancy.authorize("organizations", SCOPE, &challenge);
    let code = async || tenancy.get(&path).await.returned()["code"].clone();
    tenancy.redeem(&code().await, &[verifier]).await.ok();
    tenancy
        .redeem(&code().await, &[("code_verifier", "wrong")])
        .await
        .refused("invalid_grant", 501_481);
    tenancy
        .redeem(&code().await, &[])
        .await
        .refused("invalid_request", 900_144);
    let elsewhere = [verifier, ("redirect_uri", "http://127.0.0.1:9/other")];
    let client = tenancy.simulator.client_id();
    let code = code().await;
    let mut pairs = vec![
        ("grant_type", "authorization_code"),
        ("client_id", client.as_str()),
        ("code", code.as_str()),
    ];
    pairs.extend(elsewhere);
    tenancy
        .token("organizations", &pairs)
        .await
        .refused("invalid_client", 500_112);
}

#[tokio::test]
async fn the_page_asks_for_consent_once_and_takes_a_refusal() {
    let tenancy = Tenancy::start().await;
    let person = tenancy.simulator.person();
    let path = tenancy.authorize("organizations", SCOPE, &[]);
    let page = tenancy.get(&path).await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains("user_impersonation"), "{}", page.text);
    let refused = tenancy
        .form(&path, &[("choice", "cancel")])
        .await
        .returned();
    assert_eq!(refused["error"], "access_denied");
    assert!(refused["error_description"].starts_with("AADSTS65004"));
    let silent = tenancy.authorize("organizations", SCOPE, &[("prompt", "none")]);
    assert_eq!(
        tenancy.get(&silent).await.returned()["error"],
        "login_required"
    );
    tenancy.simulator.sign_in(person);
    assert_eq!(
        tenancy.get(&silent).await.returned()["error"],
        "interaction_required"
    );
    tenancy
        .form(&path, &[("choice", "accept")])
        .await
        .returned();
    assert!(tenancy.get(&silent).await.returned().contains_key("code"));
    assert!(tenancy.get(&path).await.returned().contains_key("code"));
}

#[tokio::test]
async fn what_only_administrators_grant_is_refused_to_others() {
    let tenancy = Tenancy::start().await;
    let scope = "openid https://graph.microsoft.com/User.Read.All";
    tenancy
        .simulator
        .sign_in_at_once(tenancy.simulator.person());
    let path = tenancy.authorize("organizations", scope, &[]);
    let refused = tenancy.get(&path).await.returned();
    assert!(refused["error_description"].starts_with("AADSTS90094"));
    tenancy
        .simulator
        .sign_in_at_once(tenancy.simulator.administrator());
    let granted = tenancy.get(&path).await.returned();
    let tokens = tenancy.redeem(&granted["code"], &[]).await.ok();
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(claims(token)["scp"], "User.Read.All");
    tenancy.get_as("/v1.0/users", token).await.ok();
    tenancy.get_as("/v1.0/groups", token).await.json()["error"]["code"]
        .as_str()
        .filter(|code| *code == "Authorization_RequestDenied")
        .unwrap();
}

#[tokio::test]
async fn pages_never_send_answers_to_addresses_that_the_app_does_not_have() {
    let tenancy = Tenancy::start().await;
    let path = tenancy
        .authorize("organizations", SCOPE, &[])
        .replace("127.0.0.1%3A9", "evil.example");
    let page = tenancy.get(&path).await;
    assert_eq!(page.status, 400);
    assert!(page.text.contains("AADSTS50011"), "{}", page.text);
    let unknown = tenancy
        .authorize("organizations", SCOPE, &[])
        .replace(&tenancy.simulator.client_id(), &tenancy.simulator.tenant());
    assert!(tenancy.get(&unknown).await.text.contains("AADSTS700016"));
}

#[tokio::test]
async fn accounts_of_elsewhere_are_turned_away_with_their_reason() {
    let tenancy = Tenancy::start().await;
    let contoso = tenancy.simulator.tenant();
    let cases = [
        ("admin@fabrikam.example", contoso.as_str(), "AADSTS50020"),
        ("someone@outlook.com", "organizations", "AADSTS50020"),
        ("nobody@contoso.example", contoso.as_str(), "AADSTS50034"),
        ("support@contoso.example", contoso.as_str(), "AADSTS50057"),
    ];
    for (person, tenant, code) in cases {
        let path = tenancy.authorize(tenant, SCOPE, &[]);
        let page = tenancy
            .form(&path, &[("choice", "accept"), ("login", person)])
            .await;
        assert!(page.text.contains(code), "{person}: {}", page.text);
    }
    let rule = json!({"tenant": contoso, "blocksEveryone": true});
    tenancy.simulator.control("rules", &rule).unwrap();
    let path = tenancy.authorize(&contoso, SCOPE, &[]);
    let person = tenancy.simulator.person();
    let page = tenancy
        .form(&path, &[("choice", "accept"), ("login", person)])
        .await;
    assert!(page.text.contains("AADSTS53003"), "{}", page.text);
}

#[tokio::test]
async fn refresh_tokens_rotate_and_end_when_sessions_are_revoked_or_unused() {
    let tenancy = Tenancy::start().await;
    let person = tenancy.simulator.person();
    let tokens = tenancy.person_tokens(person, SCOPE).await;
    let first = tokens["refresh_token"].as_str().unwrap();
    let next = tenancy.refresh(first, SCOPE).await.ok();
    let second = next["refresh_token"].as_str().unwrap();
    assert_ne!(first, second);
    assert_ne!(tokens["access_token"], next["access_token"]);
    // The real service lets the old one live on.
    tenancy.refresh(first, SCOPE).await.ok();
    let settings = json!({"singleUseRefresh": true});
    tenancy.simulator.control("settings", &settings).unwrap();
    tenancy
        .refresh(first, SCOPE)
        .await
        .refused("invalid_grant", 70_000);
    tenancy.refresh(second, SCOPE).await.ok();
    let tokens = tenancy.person_tokens(person, SCOPE).await;
    tenancy.simulator.advance_clock(91 * 86_400);
    let stale = tokens["refresh_token"].as_str().unwrap();
    tenancy
        .refresh(stale, SCOPE)
        .await
        .refused("invalid_grant", 700_082);
    let tokens = tenancy.person_tokens(person, SCOPE).await;
    tenancy.simulator.revoke_sessions(person);
    let revoked = tokens["refresh_token"].as_str().unwrap();
    tenancy
        .refresh(revoked, SCOPE)
        .await
        .refused("invalid_grant", 50_173);
}

#[tokio::test]
async fn one_refresh_token_serves_every_resource_that_was_consented_to() {
    let tenancy = Tenancy::start().await;
    let person = tenancy.simulator.person();
    let tokens = tenancy.person_tokens(person, SCOPE).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();
    tenancy
        .refresh(refresh, GRAPH)
        .await
        .refused("invalid_grant", 65_001);
    tenancy.person_tokens(person, GRAPH).await;
    let graph = tenancy.refresh(refresh, GRAPH).await.ok();
    let token = graph["access_token"].as_str().unwrap();
    assert_eq!(
        tenancy.get_as("/v1.0/me", token).await.ok()["userPrincipalName"],
        person
    );
    assert_eq!(
        tenancy
            .get_as("/contoso/_apis/projects", token)
            .await
            .status,
        203
    );
}

#[tokio::test]
async fn a_device_code_waits_for_the_person_and_is_good_once() {
    let tenancy = Tenancy::start().await;
    let device = tenancy.device("organizations").await;
    let code = device["user_code"].as_str().unwrap();
    tenancy
        .poll(&device)
        .await
        .refused("authorization_pending", 70_016);
    let page = device["verification_uri"].as_str().unwrap();
    let entered = tenancy.form(page, &[("user_code", code)]).await;
    assert!(entered.text.contains("Contoso Backup"), "{}", entered.text);
    let person = tenancy.simulator.person();
    let pairs = [
        ("user_code", code),
        ("choice", "continue"),
        ("login", person),
    ];
    let done = tenancy.form(page, &pairs).await;
    assert!(done.text.contains("You have signed in"), "{}", done.text);
    let tokens = tenancy.poll(&device).await.ok();
    assert!(tokens["refresh_token"].is_string() && tokens["id_token"].is_string());
    tenancy
        .poll(&device)
        .await
        .refused("bad_verification_code", 70_018);
}

#[tokio::test]
async fn a_device_code_is_declined_expires_slows_down_or_is_blocked() {
    let tenancy = Tenancy::start().await;
    let simulator = &tenancy.simulator;
    let code = |device: &serde_json::Value| device["user_code"].as_str().unwrap().to_owned();
    let declined = tenancy.device("organizations").await;
    simulator.decline_device_code(&code(&declined)).unwrap();
    tenancy
        .poll(&declined)
        .await
        .refused("authorization_declined", 65_004);
    simulator
        .control("settings", &json!({"slowDown": 1}))
        .unwrap();
    let slow = tenancy.device("organizations").await;
    tenancy.poll(&slow).await.refused("slow_down", 70_016);
    let rule = |flow: &str| json!({"tenant": simulator.tenant(), "deviceFlow": flow});
    for (flow, error, number) in [
        ("blocked", "invalid_grant", 53_003),
        ("interrupted", "interaction_required", 50_199),
    ] {
        simulator.control("rules", &rule(flow)).unwrap();
        let device = tenancy.device("organizations").await;
        let refused = simulator.approve_device_code(&code(&device), simulator.person());
        assert!(refused.is_err());
        tenancy.poll(&device).await.refused(error, number);
    }
    assert!(simulator.approve_device_code("WRONG", "x").is_err());
    simulator.advance_clock(901);
    tenancy.poll(&slow).await.refused("expired_token", 70_020);
}

#[tokio::test]
async fn an_administrator_consents_for_a_whole_tenant_from_a_link() {
    let tenancy = Tenancy::start().await;
    let other = tenancy.simulator.other_tenant();
    let client = tenancy.simulator.client_id();
    let secret = tenancy.simulator.client_secret();
    let pairs = [
        ("grant_type", "client_credentials"),
        ("client_id", client.as_str()),
        ("client_secret", secret.as_str()),
        ("scope", GRAPH),
    ];
    tenancy
        .token(&other, &pairs)
        .await
        .refused("unauthorized_client", 7_000_229);
    let path = format!("/{other}/adminconsent?client_id={client}&redirect_uri={BACK}&state=s2");
    let accept = |login| [("choice", "accept"), ("login", login)];
    let page = tenancy
        .form(&path, &accept("mona.kane@fabrikam.example"))
        .await;
    assert!(page.text.contains("AADSTS90094"), "{}", page.text);
    let returned = tenancy
        .form(&path, &accept("admin@fabrikam.example"))
        .await
        .returned();
    assert_eq!(
        (returned["admin_consent"].as_str(), &returned["tenant"]),
        ("True", &other)
    );
    let token = tenancy.token(&other, &pairs).await.ok();
    let token = token["access_token"].as_str().unwrap();
    let users = tenancy.get_as("/v1.0/users?$select=id", token).await.ok();
    assert_eq!(users["value"].as_array().unwrap().len(), 6);
    assert_eq!(
        tenancy
            .get_as(
                "/contoso/_apis/projects",
                &tenancy.app_token(AZURE_DEVOPS).await
            )
            .await
            .status,
        200
    );
}
