use model::{Class, Clock as _, Destination, Issue, MailSecurity, RunState};
use serde_json::Value;
use service::egress::Egress;
use standardwebhooks::Webhook;

use crate::receivers::{HttpReceiver, MailServer};
use crate::{World, change};

const KEY: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn email(port: u16, security: MailSecurity) -> Destination {
    Destination::Email {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        security,
        user: Some("keepward".to_owned()),
        from: "Keepward <keepward@example.com>".to_owned(),
        to: vec![
            "ops@example.com".to_owned(),
            "Anna <anna@example.com>".to_owned(),
        ],
    }
}

fn webhook(url: &str) -> Destination {
    Destination::Webhook {
        url: format!("{url}/hook"),
    }
}

fn issue(code: &str) -> Issue {
    Issue {
        code: code.to_owned(),
        class: Class::Throttled,
        kind: String::new(),
        scope: String::new(),
        item: None,
        message: "the service asked to slow down".to_owned(),
        hint: None,
    }
}

#[tokio::test]
async fn a_failed_run_is_told_once_by_a_signed_webhook() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    world.add("ops", webhook(&receiver.url), Some(KEY)).await;
    world.run("run-1", "contoso", RunState::Failed).await;
    world.run("run-2", "contoso", RunState::Succeeded).await;
    world.run("run-3", "contoso", RunState::Canceled).await;
    assert_eq!(world.send().await, 1);
    assert_eq!(world.send().await, 0);
    let received = receiver.take();
    assert_eq!(received.len(), 1);
    let one = &received[0];
    assert_eq!((one.method.as_str(), one.path.as_str()), ("POST", "/hook"));
    let verifier = Webhook::new(KEY).unwrap();
    verifier.verify(one.body.as_bytes(), &one.headers).unwrap();
    let forged = one.body.replace("failure", "success");
    assert!(verifier.verify(forged.as_bytes(), &one.headers).is_err());
    let body: Value = serde_json::from_str(&one.body).unwrap();
    assert_eq!(body["type"], "run.failure");
    assert_eq!(body["data"]["run"], "run-1");
    assert_eq!(body["data"]["outcome"], "failure");
    assert_eq!(body["data"]["error"], "the service is away");
}

#[tokio::test]
async fn what_goes_on_failing_is_told_once_a_day_until_it_is_good() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    world.add("ops", webhook(&receiver.url), Some(KEY)).await;
    let mut number = 0;
    let mut ends = async |connector: &str, state| {
        number += 1;
        world
            .run(&format!("run-{number:03}"), connector, state)
            .await;
        world.clock.forward(3600);
        world.send().await
    };
    let failed = RunState::Failed;
    assert_eq!(ends("contoso", failed).await, 1);
    for _ in 0..23 {
        assert_eq!(ends("contoso", failed).await, 0);
    }
    assert_eq!(ends("fabrikam", failed).await, 1, "another one's first");
    assert_eq!(ends("contoso", failed).await, 1, "a day later");
    let received = receiver.take();
    let body: Value = serde_json::from_str(&received[2].body).unwrap();
    assert!(received[2].body.contains("25 times in a row"), "{body}");
    assert_eq!(body["title"], "Backup of contoso is still failing");
    assert!(!received[0].body.contains("still"), "{}", received[0].body);
    assert_eq!(ends("contoso", RunState::Canceled).await, 0);
    assert_eq!(ends("contoso", failed).await, 0, "canceled is not good");
    assert_eq!(ends("contoso", RunState::Succeeded).await, 0);
    assert_eq!(ends("contoso", failed).await, 1, "it was good meanwhile");
}

/// Retention that cannot go through, or a wiki that nobody may read: the same in each of hundreds of runs a day.
#[tokio::test]
async fn the_same_issues_are_told_once_a_day_and_new_ones_at_once() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    world.add("ops", webhook(&receiver.url), Some(KEY)).await;
    let catalog = &world.control.catalog;
    let mut number = 0;
    let mut ends = async |state, more: &[&str]| {
        number += 1;
        let run = format!("run-{number:03}");
        world.run(&run, "contoso", state).await;
        let more: Vec<Issue> = more.iter().copied().map(issue).collect();
        catalog.add_issues(&run, &more).await.unwrap();
        world.clock.forward(3600);
        world.send().await
    };
    let warned = RunState::SucceededWithIssues;
    assert_eq!(ends(warned, &[]).await, 1);
    for _ in 0..5 {
        assert_eq!(ends(warned, &[]).await, 0);
    }
    assert_eq!(ends(warned, &["throttled"]).await, 1, "a new one");
    assert_eq!(ends(warned, &[]).await, 0, "fewer than were told");
    assert_eq!(ends(warned, &["throttled"]).await, 0);
    for _ in 0..16 {
        ends(warned, &[]).await;
    }
    assert_eq!(ends(warned, &["throttled"]).await, 0, "within the day");
    for _ in 0..6 {
        ends(warned, &[]).await;
    }
    receiver.take();
    assert_eq!(ends(warned, &["throttled"]).await, 1, "a day later");
    assert_eq!(ends(RunState::Succeeded, &[]).await, 0);
    assert_eq!(ends(warned, &[]).await, 1, "it was good meanwhile");
}

#[tokio::test]
async fn issues_that_somebody_acknowledged_are_told_to_nobody() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    world.add("ops", webhook(&receiver.url), Some(KEY)).await;
    let catalog = &world.control.catalog;
    let known = catalog::Acknowledgement {
        connector: "contoso".to_owned(),
        repository: String::new(),
        code: "permission-missing".to_owned(),
        kind: "wiki".to_owned(),
        scope: String::new(),
        item: String::new(),
        by_whom: "anna".to_owned(),
        at: world.clock.now(),
        until: None,
        note: None,
    };
    catalog.acknowledge(&known).await.unwrap();
    for run in ["run-1", "run-2"] {
        world
            .run(run, "contoso", RunState::SucceededWithIssues)
            .await;
    }
    let new = [issue("throttled")];
    catalog.add_issues("run-2", &new).await.unwrap();
    assert_eq!(world.send().await, 1);
    let received = receiver.take();
    let body: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(body["data"]["run"], "run-2");
    let told = body["data"]["issues"].as_array().unwrap();
    assert_eq!(told.len(), 1, "{body}");
    assert_eq!(told[0]["code"], "throttled");
}

#[tokio::test]
async fn a_message_that_was_refused_comes_again_under_the_same_id() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([503, 307]).await;
    world.add("ops", webhook(&receiver.url), Some(KEY)).await;
    world.run("run-1", "contoso", RunState::Failed).await;
    assert_eq!(world.send().await, 0);
    assert_eq!(world.send().await, 0, "not before its time");
    world.clock.forward(31);
    assert_eq!(world.send().await, 0);
    world.clock.forward(121);
    assert_eq!(world.send().await, 1);
    let received = receiver.take();
    assert_eq!(received.len(), 3);
    assert!(
        received.iter().all(|one| one.path == "/hook"),
        "no redirect is followed"
    );
    let id = |at: usize| received[at].headers["webhook-id"].clone();
    assert!(id(0) == id(1) && id(1) == id(2));
}

#[tokio::test]
async fn a_receiver_that_never_takes_a_message_is_given_up() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([500; 20]).await;
    world.add("ops", webhook(&receiver.url), Some(KEY)).await;
    world.run("run-1", "contoso", RunState::Failed).await;
    for _ in 0..12 {
        world.send().await;
        world.clock.forward(13 * 3600);
    }
    assert_eq!(receiver.take().len(), 9);
    let rows = world
        .control
        .catalog
        .messages(None, &catalog::Page::first(10))
        .await
        .unwrap();
    assert_eq!(rows.items[0].state, "failed");
    assert_eq!(
        rows.items[0].error.as_deref(),
        Some("the receiver answers with status 500")
    );
}

#[tokio::test]
async fn slack_teams_and_a_dead_mans_switch_get_what_they_read() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    let address = |path: &str| format!("{}/{path}", receiver.url);
    world
        .add("slack", Destination::Slack, Some(&address("slack")))
        .await;
    world
        .add("teams", Destination::Teams, Some(&address("teams")))
        .await;
    let mut ping = change("ping", Destination::Ping, Some(&address("ping")));
    ping.channel.on = [model::Occasion::Success].into();
    ping.channel.connectors = vec!["con*".to_owned()];
    world.control.add_channel(&ping).await.unwrap();
    world
        .run("run-1", "contoso", RunState::SucceededWithIssues)
        .await;
    assert_eq!(world.send().await, 2);
    let mut received = receiver.take();
    received.sort_by(|one, other| one.path.cmp(&other.path));
    let slack: Value = serde_json::from_str(&received[0].body).unwrap();
    assert_eq!(slack["text"], "Backup of contoso succeeded with issues");
    let text = slack["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(
        text.contains("permission-missing: no right to read"),
        "{text}"
    );
    let teams: Value = serde_json::from_str(&received[1].body).unwrap();
    let card = &teams["attachments"][0];
    assert_eq!(
        card["contentType"],
        "application/vnd.microsoft.card.adaptive"
    );
    assert_eq!(card["content"]["type"], "AdaptiveCard");

    world.run("run-2", "contoso", RunState::Succeeded).await;
    world.run("run-3", "fabrikam", RunState::Succeeded).await;
    assert_eq!(world.send().await, 1);
    let received = receiver.take();
    assert_eq!(received[0].method, "GET");
    assert_eq!(received[0].path, "/ping");
}

#[tokio::test]
async fn a_mail_arrives_and_a_name_cannot_add_headers_to_it() {
    let world = World::new().await;
    let server = MailServer::start().await;
    let to = email(server.port, MailSecurity::None);
    world.add("mail", to, Some("hunter2")).await;
    world
        .run("run-1", "x\r\nBcc: evil@example.com", RunState::Failed)
        .await;
    assert_eq!(world.send().await, 1);
    let mails = server.take();
    assert_eq!(mails.len(), 1);
    let mail = &mails[0];
    assert!(mail.starts_with("signed in: true"), "{mail}");
    let (head, body) = mail.split_once("\n\n").unwrap();
    assert!(head.contains("Subject: [Keepward] Backup of x"), "{head}");
    assert!(!head.lines().any(|line| line.starts_with("Bcc:")), "{head}");
    assert!(head.contains("anna@example.com"), "{head}");
    assert!(body.contains("the service is away"), "{body}");
    assert!(!mail.contains("hunter2"));
}

#[tokio::test]
async fn a_mail_server_without_encryption_never_sees_the_password() {
    let world = World::new().await;
    let server = MailServer::start().await;
    let to = email(server.port, MailSecurity::Starttls);
    world.add("mail", to, Some("hunter2")).await;
    let failed = world
        .control
        .test_channel("mail", &world.egress)
        .await
        .unwrap_err();
    assert_eq!(failed.code(), Some("notification-failed"));
    assert!(server.take().is_empty());
}

#[tokio::test]
async fn a_channel_cannot_reach_the_servers_own_network() {
    let world = World::new().await;
    let receiver = HttpReceiver::start([]).await;
    let by_name = receiver.url.replace("127.0.0.1", "localhost");
    world
        .add("literal", webhook(&receiver.url), Some(KEY))
        .await;
    world.add("name", webhook(&by_name), Some(KEY)).await;
    let metadata = "http://169.254.169.254/latest/meta-data/";
    world
        .add("metadata", Destination::Slack, Some(metadata))
        .await;
    let server = MailServer::start().await;
    let to = email(server.port, MailSecurity::None);
    world.add("mail", to, Some("hunter2")).await;
    for name in ["literal", "name", "metadata", "mail"] {
        let refused = world
            .control
            .test_channel(name, &Egress::new(Vec::new()))
            .await
            .unwrap_err();
        assert!(
            refused.to_string().contains(" leads to "),
            "{name}: {refused}"
        );
    }
    assert!(receiver.take().is_empty() && server.take().is_empty());
}

#[tokio::test]
async fn an_address_that_is_a_secret_is_in_no_error() {
    let world = World::new().await;
    let address = "http://127.0.0.1:1/services/T0/B0/hunter2";
    world.add("slack", Destination::Slack, Some(address)).await;
    let failed = world
        .control
        .test_channel("slack", &world.egress)
        .await
        .unwrap_err();
    assert!(!failed.to_string().contains("hunter2"), "{failed}");
    world.run("run-1", "contoso", RunState::Failed).await;
    world.send().await;
    let rows = world
        .control
        .catalog
        .messages(None, &catalog::Page::first(1))
        .await
        .unwrap();
    let row = format!("{rows:?}");
    assert!(row.contains("waiting") && !row.contains("hunter2"), "{row}");
    let channel = world.control.catalog.channel("slack").await.unwrap();
    assert!(!format!("{channel:?}").contains("hunter2"));
    let mut refused = change("other", Destination::Slack, Some("hunter2"));
    for secret in ["hunter2", "ftp://hunter2", "https://a:hunter2@b"] {
        refused.secret = Some(model::Secret::new(secret));
        let error = world.control.add_channel(&refused).await.unwrap_err();
        assert_eq!(error.code(), Some("channel-refused"));
        assert!(!error.to_string().contains("hunter2"));
    }
}

#[tokio::test]
async fn a_signing_key_that_can_be_guessed_is_refused() {
    let world = World::new().await;
    let short = format!("whsec_{}", "A".repeat(28));
    let long = "A".repeat(88);
    for key in ["whsec_AAAA", "", "no base64!", &short, &long] {
        let refused = change("ops", webhook("http://127.0.0.1:1"), Some(key));
        let error = world.control.add_channel(&refused).await.unwrap_err();
        assert_eq!(error.code(), Some("channel-refused"), "{key}");
    }
    world
        .add("ops", webhook("http://127.0.0.1:1"), Some(KEY))
        .await;
}

#[tokio::test]
async fn a_secret_does_not_follow_a_channel_to_another_receiver() {
    let world = World::new().await;
    let to = email(25, MailSecurity::None);
    world.add("mail", to.clone(), Some("hunter2")).await;
    let mut elsewhere = change("MAIL", to, None);
    world.control.edit_channel(&elsewhere, None).await.unwrap();
    if let Destination::Email { host, .. } = &mut elsewhere.channel.to {
        "evil.example".clone_into(host);
    }
    let refused = world
        .control
        .edit_channel(&elsewhere, None)
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Some("channel-refused"));
    elsewhere.channel.to = Destination::Slack;
    assert!(world.control.edit_channel(&elsewhere, None).await.is_err());
    world.control.remove_channel("mail").await.unwrap();
    assert!(
        world
            .control
            .catalog
            .credentials()
            .await
            .unwrap()
            .is_empty()
    );
}
