//! What the client sends, and where to.

use std::io::Write as _;
use std::process::Command;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use model::Clock;
use service::Client;
use service::egress::Egress;
use service::http::{Method, Url};

use crate::server::{PAT, Server, answer, json};

/// Basic with an empty user name.
const BASIC: &str = "Basic OnA0dHNlY3JldHA0dHNlY3JldHA0dA==";

#[tokio::test]
async fn requests_carry_what_the_service_wants_to_see() {
    let server = Server::script([json("{}")]).await;
    let client = server.client();
    client
        .get("dev", "/_apis/projects")
        .version("7.1-preview.4")
        .query("$top", 5)
        .query("a b", "ü&=")
        .send()
        .await
        .unwrap();
    client
        .tagged("x")
        .get("dev", "/_apis/projects")
        .send()
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(
        seen[0].target,
        "/contoso/_apis/projects?%24top=5&a+b=%C3%BC%26%3D"
    );
    let header = |name: &str| seen[0].headers[name].as_str();
    assert_eq!(
        header("accept"),
        "application/json;api-version=7.1-preview.4"
    );
    assert_eq!(header("authorization"), BASIC);
    assert_eq!(header("x-tfs-fedauthredirect"), "Suppress");
    assert_eq!(header("x-vss-forcemsapassthrough"), "true");
    assert_eq!(header("user-agent"), "Keepward/0");
    assert_eq!(header("x-tfs-session").len(), 36);
    assert_eq!(
        seen[0].headers["x-tfs-session"],
        seen[1].headers["x-tfs-session"]
    );
}

#[tokio::test]
async fn bodies_arrive_as_they_are() {
    let server = Server::script([json("{}")]).await;
    let client = server.client();
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(&vec![7; 100_000]).unwrap();
    client
        .call(Method::POST, "dev", "/a")
        .json(&serde_json::json!({"ü": 1}))
        .send()
        .await
        .unwrap();
    client
        .call(Method::PUT, "dev", "/b")
        .file("application/octet-stream", file.path())
        .send()
        .await
        .unwrap();
    client
        .call(Method::PATCH, "dev", "/c")
        .body("application/json-patch+json", "[]")
        .send()
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(
        (seen[0].headers["content-type"].as_str(), &seen[0].body[..]),
        ("application/json", "{\"ü\":1}".as_bytes())
    );
    assert_eq!(
        (seen[1].method.as_str(), seen[1].body.len()),
        ("PUT", 100_000)
    );
    assert_eq!(
        seen[2].headers["content-type"],
        "application/json-patch+json"
    );
}

#[tokio::test]
async fn the_credential_goes_to_configured_hosts_only() {
    let foreign = Server::script([answer(200, "blob")]).await;
    let own =
        Server::script([answer(302, "").with("Location", &format!("{}/blob?sig=x", foreign.url))])
            .await;
    let client = own.client();
    let direct = client
        .url(&Url::parse(&format!("{}/direct", foreign.url)).unwrap())
        .send()
        .await
        .unwrap();
    let redirected = client
        .get("dev", "/file")
        .header("Authorization", "Basic own")
        .send()
        .await
        .unwrap();
    assert_eq!(
        (&direct.body[..], &redirected.body[..]),
        (&b"blob"[..], &b"blob"[..])
    );
    for seen in foreign.seen() {
        assert!(
            !seen.headers.contains_key("authorization")
                && !seen.headers.contains_key("x-tfs-session"),
            "{seen:?}"
        );
    }
    assert_eq!(own.seen()[0].headers["authorization"], "Basic own");
    let absolute = Url::parse(&format!("{}/other/path", own.url)).unwrap();
    client.url(&absolute).send().await.unwrap();
    assert_eq!(own.seen()[1].headers["authorization"], BASIC);
}

#[tokio::test]
async fn redirects_end() {
    let server = Server::script([answer(302, "").with("Location", "/round")]).await;
    let error = server.client().get("dev", "/x").send().await.unwrap_err();
    assert!(error.message.contains("redirected without end"), "{error}");
    assert!(server.seen().len() < 10);
}

#[tokio::test]
async fn a_write_is_not_redirected() {
    let server = Server::script([answer(307, "").with("Location", "/elsewhere"), json("{}")]).await;
    server
        .client()
        .call(Method::POST, "dev", "/x")
        .json(&())
        .send()
        .await
        .unwrap_err();
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn usage_counts_requests_and_bytes_by_kind() {
    let server = Server::script([json("{\"a\":1}"), answer(500, "xx"), json("{\"a\":1}")]).await;
    let client = server.client();
    client.tagged("team").get("dev", "/a").send().await.unwrap();
    client
        .tagged("project")
        .get("dev", "/b")
        .send()
        .await
        .unwrap();
    let usage = client.usage();
    assert_eq!((usage.requests, usage.bytes), (3, 16));
    assert_eq!(
        usage.by_kind.into_iter().collect::<Vec<_>>(),
        [("project", (2, 9)), ("team", (1, 7))]
    );
}

#[tokio::test]
async fn an_unknown_host_is_an_error_when_it_is_asked() {
    let server = Server::script([json("{}")]).await;
    let error = server.client().get("vssps", "/x").send().await.unwrap_err();
    assert!(error.message.contains("`vssps`"), "{error}");
    assert!(server.seen().is_empty());
}

/// Git itself says for which address it would use the header.
#[tokio::test]
async fn git_sends_the_credential_to_configured_hosts_only() {
    let server = Server::script([json("{}")]).await;
    let environment = server.client().git_environment().await.unwrap();
    let ask = |url: &str| {
        let mut git = Command::new("git");
        git.args(["config", "--get-urlmatch", "http.extraHeader", url]);
        for (name, value) in &environment {
            git.env(name, value.expose());
        }
        String::from_utf8(git.output().unwrap().stdout).unwrap()
    };
    assert_eq!(
        ask(&format!("{}/contoso/p/_git/r", server.url)).trim_end(),
        format!("Authorization: {BASIC}")
    );
    assert_eq!(ask("https://example.com/contoso/p/_git/r"), "");
    assert!(!environment.iter().any(|(name, _)| name.contains(PAT)));
}

#[tokio::test]
async fn no_client_is_led_to_a_metadata_service() {
    let server = Server::script([json("{}")]).await;
    let mut options = server.options();
    let metadata = Url::parse("http://169.254.169.254/metadata").unwrap();
    options.hosts.insert("other", metadata.clone());
    let client = Client::new(options).unwrap();
    for error in [
        client.get("other", "/identity").send().await.unwrap_err(),
        client.url(&metadata).send().await.unwrap_err(),
    ] {
        assert_eq!(error.code, "address-refused");
    }
    let redirecting = answer(302, "").with("Location", metadata.as_str());
    let server = Server::script([redirecting]).await;
    let error = server.client().get("dev", "/x").send().await.unwrap_err();
    assert_eq!(error.code, "address-refused");
}

#[tokio::test]
async fn a_guarded_client_reaches_what_the_list_opens_and_nothing_else() {
    let server = Server::script([json("{}")]).await;
    let closed = Egress::new(Vec::new());
    let error = Client::guarded(server.options(), &closed)
        .unwrap()
        .get("dev", "/x")
        .send()
        .await
        .unwrap_err();
    assert_eq!(error.code, "address-refused");
    assert!(server.seen().is_empty());
    let open = Egress::new(vec!["127.0.0.0/8".parse().unwrap()]);
    let client = Client::guarded(server.options(), &open).unwrap();
    client.get("dev", "/x").send().await.unwrap();
}

struct Noon;

impl Clock for Noon {
    fn now(&self) -> Timestamp {
        "2026-11-20T12:00:00Z".parse().unwrap()
    }
}

#[tokio::test]
async fn the_clock_is_compared_with_the_dates_of_answers() {
    let dated = |time: &str| json("{}").with("Date", &format!("Fri, 20 Nov 2026 {time} GMT"));
    let server = Server::script([
        dated("09:00:00"),
        dated("11:51:00"),
        dated("12:30:00"),
        json("{}"),
        dated("15:00:00").with("Age", "3"),
        json("{}").with("Date", "yesterday"),
    ])
    .await;
    let client = server.client();
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    client.compare_clocks(&clock);
    assert_eq!(client.clock_ahead(), None);
    for minutes in [Some(180), None, Some(-30), Some(-30), Some(-30), Some(-30)] {
        client.tagged("x").get("dev", "/x").send().await.unwrap();
        let ahead = client.clock_ahead();
        assert_eq!(ahead, minutes.map(SignedDuration::from_mins));
    }
}

#[tokio::test]
async fn the_date_of_another_host_says_nothing_of_the_service() {
    let other = Server::script([json("{}").with("Date", "Fri, 20 Nov 2020 00:00:00 GMT")]).await;
    let server = Server::script([json("{}")]).await;
    let client = server.client();
    let clock: Arc<dyn Clock> = Arc::new(Noon);
    client.compare_clocks(&clock);
    let url = Url::parse(&other.url).unwrap();
    client.url(&url).send().await.unwrap();
    assert_eq!(client.clock_ahead(), None);
}
