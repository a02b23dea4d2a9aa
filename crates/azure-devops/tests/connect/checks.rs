//! What preflight says about rights, policies, access levels and organizations.

use azure_devops::AZURE_DEVOPS;
use model::{Secret, SignIn};
use serde_json::json;
use service::http::Auth;
use service::{Check, CheckOutcome, Client};

use crate::script::Script;
use crate::world::{World, client};

async fn check(client: &Client) -> Vec<Check> {
    AZURE_DEVOPS.preflight.check(client, "contoso").await
}

fn found<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks
        .iter()
        .find(|check| check.name == name)
        .unwrap_or_else(|| panic!("no {name} in {checks:#?}"))
}

fn scripted(script: &Script) -> Client {
    client(&script.url, Auth::Pat(Secret::new("token")), "contoso")
}

#[tokio::test]
async fn k_01_an_owner_passes_without_being_in_the_group() {
    let script = Script::start().await;
    let path = "/contoso/_apis/security/permissionevaluationbatch";
    script.say(path, 200, json!({"evaluations": [{"value": false}]}));
    let account = json!({"accountId": "1", "accountName": "Contoso", "accountUri": ""});
    script.say(
        "/_apis/accounts",
        200,
        json!({"count": 1, "value": [account]}),
    );
    let checks = check(&scripted(&script)).await;
    let check = found(&checks, "administrator");
    assert_eq!((check.outcome, check.code), (CheckOutcome::Pass, None));
    assert!(check.message.contains("owns contoso"));
}

#[tokio::test]
async fn k_02_av_06_the_group_that_is_missing_is_named_with_what_it_costs() {
    let script = Script::start().await;
    let path = "/contoso/_apis/security/permissionevaluationbatch";
    let checks = check(&scripted(&script)).await;
    assert_eq!(found(&checks, "administrator").outcome, CheckOutcome::Pass);
    script.say(path, 200, json!({"evaluations": [{"value": false}]}));
    let checks = check(&scripted(&script)).await;
    let check = found(&checks, "administrator");
    assert_eq!(
        (check.outcome, check.code),
        (CheckOutcome::Fail, Some("administrator-missing"))
    );
    // An identity that may only read is connected all the same: what it sees is backed up.
    assert!(!check.blocks);
    assert!(
        check.message.contains("Project Collection Administrators"),
        "{check:?}"
    );
    // What each kind costs its own check says: here all of them can be read.
    assert!(check.message.contains("not in the backup"), "{check:?}");
    assert_eq!(check.costs, [""; 0]);
    // K-05: the page of the service's maker.
    assert!(
        check
            .link
            .is_some_and(|link| link.starts_with("https://learn.microsoft.com/"))
    );
}

#[tokio::test]
async fn what_cannot_be_read_is_unknown_and_never_guessed() {
    let script = Script::start().await;
    let path = "/contoso/_apis/security/permissionevaluationbatch";
    for (status, body) in [
        (403, json!({"message": "no"})),
        (200, json!({"evaluations": []})),
        (200, json!({"evaluations": [{}]})),
        (404, json!({})),
    ] {
        script.say(path, status, body.clone());
        let checks = check(&scripted(&script)).await;
        let check = found(&checks, "administrator");
        assert_eq!(check.outcome, CheckOutcome::Unknown, "{status} {body}");
        assert!(
            check
                .hint
                .as_ref()
                .is_some_and(|hint| hint.contains("Organization settings"))
        );
    }
}

#[tokio::test]
async fn k_02_a_stranger_is_told_that_the_membership_is_missing() {
    let script = Script::start().await;
    let message = "TF400813: The user '4f7a' is not authorized to access this resource.";
    script.say(
        "/contoso/_apis/connectionData",
        401,
        json!({"message": message}),
    );
    let checks = check(&scripted(&script)).await;
    let check = found(&checks, "membership");
    assert_eq!(
        (check.outcome, check.code),
        (CheckOutcome::Fail, Some("member-missing"))
    );
    assert!(check.blocks);
}

#[tokio::test]
async fn a_stakeholder_sees_no_repositories() {
    let script = Script::start().await;
    script.level("stakeholder", "active", "2026-11-01T00:00:00Z");
    let checks = check(&scripted(&script)).await;
    let check = found(&checks, "license");
    assert_eq!(
        (check.outcome, check.code),
        (CheckOutcome::Missing, Some("license-too-low"))
    );
    assert!(check.costs.contains(&"Git repositories"), "{check:?}");
}

#[tokio::test]
async fn av_05_an_account_that_was_never_there_is_told_to_go() {
    for (status, last) in [
        ("active", "0001-01-01T00:00:00Z"),
        ("pending", "2026-11-01T00:00:00Z"),
    ] {
        let script = Script::start().await;
        script.level("express", status, last);
        let checks = check(&scripted(&script)).await;
        let check = found(&checks, "entered");
        assert_eq!(check.code, Some("organization-not-entered"));
        assert!(
            check
                .message
                .contains("Organization not yet entered by this account")
        );
        assert!(
            check
                .hint
                .as_ref()
                .is_some_and(|hint| hint.contains("https://dev.azure.com/contoso"))
        );
    }
}

#[tokio::test]
async fn a_policy_that_keeps_us_out_is_named() {
    let script = Script::start().await;
    let message = "VS403463: The conditional access policy has failed.";
    script.say(
        "/contoso/_apis/connectionData",
        403,
        json!({"message": message}),
    );
    let checks = check(&scripted(&script)).await;
    assert_eq!(
        found(&checks, "conditional-access").outcome,
        CheckOutcome::Fail
    );
}

#[tokio::test]
async fn k_04_the_switch_for_applications_is_read_and_named() {
    let world = World::start().await;
    let person = world.simulator.administrator();
    let client = world.person(person, "contoso").await;
    let checks = check(&client).await;
    let on = found(&checks, "third-party-access");
    assert_eq!(on.outcome, CheckOutcome::Pass, "{checks:#?}");
    world
        .simulator
        .set_access("contoso", &json!({"thirdPartyAccess": false}))
        .unwrap();
    let client = world.person(person, "contoso").await;
    let checks = check(&client).await;
    let off = found(&checks, "third-party-access");
    assert_eq!(
        (off.outcome, off.code),
        (CheckOutcome::Fail, Some("oauth-policy-off"))
    );
    let hint = off.hint.as_ref().unwrap();
    assert!(
        hint.contains(
            "Organization settings > Policies > Third-party application access via OAuth"
        )
    );
    // Who may not read it gets no guess.
    world
        .simulator
        .set_access("contoso", &json!({"thirdPartyAccess": true}))
        .unwrap();
    let client = world.person(world.simulator.person(), "contoso").await;
    let checks = check(&client).await;
    assert_eq!(
        found(&checks, "third-party-access").outcome,
        CheckOutcome::Unknown
    );
}

#[tokio::test]
async fn what_the_organization_says_of_a_person_is_understood() {
    let world = World::start().await;
    let person = world.simulator.person();
    for (access, name, code) in [
        (
            json!({"person": person, "entered": false}),
            "entered",
            "organization-not-entered",
        ),
        (
            json!({"person": person, "entered": true, "member": false}),
            "membership",
            "member-missing",
        ),
        (
            json!({"person": person, "member": true, "conditionalAccess": true}),
            "conditional-access",
            "conditional-access",
        ),
        (
            json!({"conditionalAccess": false, "personal": true}),
            "organization",
            "account-personal",
        ),
    ] {
        world.simulator.set_access("contoso", &access).unwrap();
        let client = world.person(person, "contoso").await;
        let checks = check(&client).await;
        let check = found(&checks, name);
        assert_eq!(
            (check.outcome, check.code),
            (CheckOutcome::Fail, Some(code)),
            "{access} {checks:#?}"
        );
    }
}

#[tokio::test]
async fn k_03_every_organization_is_found_and_checked_on_its_own() {
    let world = World::start().await;
    let tenant = world.simulator.tenant();
    world
        .simulator
        .add_organization_in("second", &tenant)
        .unwrap();
    let person = world.simulator.administrator();
    let nowhere = world.person(person, "").await;
    let found = AZURE_DEVOPS.preflight.discover(&nowhere).await.unwrap();
    let names: Vec<&str> = found
        .organizations
        .iter()
        .map(|reached| reached.organization.as_str())
        .collect();
    assert!(
        names.contains(&"contoso") && names.contains(&"second"),
        "{found:#?}"
    );
    assert_eq!(found.account.as_deref(), Some(person));
    for reached in &found.organizations {
        assert_eq!(reached.personal, Some(false), "{reached:?}");
        assert_eq!(reached.tenant.as_deref(), Some(tenant.as_str()));
        let client = world.person(person, &reached.organization).await;
        let checks = AZURE_DEVOPS
            .preflight
            .check(&client, &reached.organization)
            .await;
        assert!(checks.iter().any(|check| check.name == "administrator"));
    }
}

#[tokio::test]
async fn sre_49_a_connector_without_an_organization_says_so() {
    let script = Script::start().await;
    let checks = AZURE_DEVOPS.preflight.check(&scripted(&script), " ").await;
    assert_eq!(checks.len(), 1);
    assert_eq!(
        checks[0].message,
        "Organization not configured for this connector"
    );
    assert_eq!(checks[0].outcome, CheckOutcome::Fail);
}

#[tokio::test]
async fn av_07_an_account_without_any_organization_is_told_so() {
    let script = Script::start().await;
    let client = client(&script.url, Auth::Pat(Secret::new("global")), "");
    let found = AZURE_DEVOPS.preflight.discover(&client).await.unwrap();
    let codes: Vec<_> = found.checks.iter().filter_map(|check| check.code).collect();
    assert_eq!(codes, ["pat-global", "organization-none"]);
    let world = World::start().await;
    let sign_in = SignIn::ClientSecret {
        app: world.app(&world.simulator.tenant()),
    };
    let secret = world.simulator.client_secret();
    let application = world.with(&world.source(&sign_in, Some(&secret)), "");
    let found = AZURE_DEVOPS.preflight.discover(&application).await.unwrap();
    assert_eq!(found.checks[0].code, Some("organization-needed"));
    assert_eq!(found.checks[0].outcome, CheckOutcome::Unknown);
}

#[tokio::test]
async fn a_token_of_one_organization_reaches_no_other() {
    let world = World::start().await;
    let client = world.pat(world.simulator.pat(), "");
    let found = AZURE_DEVOPS.preflight.discover(&client).await.unwrap();
    assert!(found.organizations.is_empty());
    assert_eq!(found.checks[0].code, Some("organization-needed"));
}

#[tokio::test]
async fn sre_27_sre_28_repositories_and_recent_commits_are_shown() {
    let world = World::start().await;
    let client = world
        .person(world.simulator.administrator(), "contoso")
        .await;
    let repositories = AZURE_DEVOPS.preflight.repositories(&client).await.unwrap();
    let first = repositories
        .iter()
        .find(|repository| !repository.disabled)
        .unwrap();
    let commits = AZURE_DEVOPS
        .preflight
        .commits(&client, &first.project, &first.name, 3)
        .await
        .unwrap();
    assert!(!commits.is_empty() && commits.len() <= 3, "{commits:?}");
    assert!(
        commits[0].id.len() == 40 && !commits[0].author.is_empty() && !commits[0].date.is_empty()
    );
    let error = AZURE_DEVOPS
        .preflight
        .commits(&client, &first.project, "no-such-repository", 3)
        .await
        .unwrap_err();
    assert_ne!(error.code, "code-read-missing");
}

#[tokio::test]
async fn sre_29_sre_48_a_token_without_code_read_is_told_so_and_a_dead_one_is_not() {
    let world = World::start().await;
    let organization = world.simulator.organization();
    let pat = world
        .simulator
        .add_pat(organization, &["vso.project", "vso.work"])
        .await;
    let client = world.pat(&pat, organization);
    let preflight = AZURE_DEVOPS.preflight;
    let error = preflight.repositories(&client).await.unwrap_err();
    assert_eq!(error.message, "Token lacks Code.Read permission");
    assert_eq!(error.code, "code-read-missing");
    let error = preflight.commits(&client, "p", "r", 1).await.unwrap_err();
    assert_eq!(error.message, "Token lacks Code.Read permission");
    let dead = world.pat("not-a-token", organization);
    let error = preflight.repositories(&dead).await.unwrap_err();
    assert_eq!(error.code, "credential-refused");
    let person = world.simulator.administrator();
    let client = world.person(person, organization).await;
    preflight.repositories(&client).await.unwrap();
}

#[tokio::test]
async fn a_token_is_global_where_the_service_says_so_and_on_no_server_of_ones_own() {
    let script = Script::start().await;
    let is_global = async || {
        let checks = check(&scripted(&script)).await;
        checks.iter().any(|check| check.code == Some("pat-global"))
    };
    assert!(is_global().await);
    let mine = json!({"authenticatedUser": {"id": "1"}, "deploymentType": "onPremises"});
    script.say("/contoso/_apis/connectionData", 200, mine);
    assert!(!is_global().await);
    let hosted = json!({"authenticatedUser": {"id": "1"}, "deploymentType": "hosted"});
    script.say("/contoso/_apis/connectionData", 200, hosted);
    script.say("/_apis/profile/profiles/me", 401, json!({}));
    assert!(!is_global().await);
}

#[tokio::test]
async fn a_tenant_that_does_not_exist_is_not_told_as_an_unknown_organization() {
    let world = World::start().await;
    let sign_in = SignIn::ClientSecret {
        app: world.app("nowhere.example"),
    };
    let secret = world.simulator.client_secret();
    let checks = check(&world.with(&world.source(&sign_in, Some(&secret)), "contoso")).await;
    let refused = found(&checks, "organization");
    assert_eq!(refused.code, Some("tenant-unknown"), "{refused:?}");
    assert!(!refused.message.contains("organization"), "{refused:?}");
}
