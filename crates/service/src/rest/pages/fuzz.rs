//! Fuzz target: answers with pages and continuation tokens. Whatever they say, a list ends or is an error.

use std::collections::BTreeMap;
use std::time::Duration;

use model::Secret;
use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderValue};

use super::*;
use crate::http::{Auth, Options};
use crate::mutate::{assert_little_memory, inputs};

/// No request is sent: answers are handed in.
fn client() -> Client {
    let options = Options {
        hosts: BTreeMap::new(),
        auth: Auth::Pat(Secret::new("none")),
        user_agent: "fuzz".to_owned(),
        attempts: 1,
        max_wait: Duration::ZERO,
        timeout: Duration::from_secs(1),
        max_body: 1 << 20,
        observer: None,
    };
    Client::new(options).unwrap()
}

fn answer(body: Vec<u8>, token: Option<&[u8]>) -> Answer {
    let mut headers = HeaderMap::new();
    if let Some(token) = token.and_then(|token| HeaderValue::from_bytes(token).ok()) {
        headers.insert("x-ms-continuationtoken", token);
    }
    Answer::for_test(headers, body)
}

fn bodies() -> Vec<Vec<u8>> {
    let text = [
        r#"{"count":2,"value":[{"id":1},{"id":"\u00e9\ud83d\ude00"}],"continuationToken":"abc"}"#,
        r#"{"values":[],"next":{"token":17},"isLastBatch":false}"#,
        "\u{feff}{\"value\":[]}",
        "[]",
    ];
    text.map(|text| text.as_bytes().to_vec()).to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: ProptestConfig::default().cases.min(20_000), ..ProptestConfig::default() })]

    #[test]
    fn an_answer_of_pages(
        body in inputs(bodies()),
        token in proptest::option::of(inputs(vec![b"token-1".to_vec()])),
        paging in prop_oneof![Just(Paging::One), Just(Paging::Header), Just(Paging::Body { token: "continuationToken" }), Just(Paging::Body { token: "/next/token" }), Just(Paging::Skip { size: 2 })],
    ) {
        let http = client();
        let mut pages = Pages::over(&http, "dev", "/list".to_owned(), Vec::new(), "7.1", paging);
        let answer = answer(body, token.as_deref());
        // The same answer again and again must not go on for ever.
        let ends = (0..4).any(|_| match pages.after(&answer) {
            Ok(Next::End) | Err(_) => true,
            Ok(next) => {
                pages.next = next;
                false
            }
        });
        prop_assert!(ends);
        assert_little_memory();
    }

    /// Tokens that come round again, in whatever circle.
    #[test]
    fn a_circle_of_tokens(circle in 1..20_usize) {
        let http = client();
        let mut pages = Pages::over(&http, "dev", "/list".to_owned(), Vec::new(), "7.1", Paging::Header);
        let ends = (0..=circle).any(|round| {
            let token = format!("token-{}", round % circle);
            match pages.after(&answer(Vec::new(), Some(token.as_bytes()))) {
                Ok(next) => {
                    pages.next = next;
                    false
                }
                Err(_) => true,
            }
        });
        prop_assert!(ends);
    }
}
