//! Bodies: in memory and as streams, whole or not at all.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use service::Error;
use tokio::io::AsyncReadExt as _;

use crate::server::{Reply, Server, answer, html, json};

async fn read(reply: Reply) -> Result<Vec<u8>, Error> {
    let server = Server::script([reply]).await;
    let client = server.client();
    let mut body = client
        .get("dev", "/_apis/wit/attachments/1")
        .version("7.1")
        .open()
        .await?;
    let mut bytes = Vec::new();
    body.read_to_end(&mut bytes)
        .await
        .map_err(Error::from_read)?;
    assert_eq!(client.usage().bytes, bytes.len() as u64);
    Ok(bytes)
}

#[tokio::test]
async fn a_stream_gives_the_bytes_as_they_are() {
    let content: Vec<u8> = (0..300_000_u32).map(|n| (n % 251) as u8).collect();
    assert_eq!(
        read(answer(200, content.clone()).with("Content-Type", "application/octet-stream"))
            .await
            .unwrap(),
        content
    );
    assert_eq!(read(answer(200, content.clone())).await.unwrap(), content);
    assert_eq!(read(answer(200, "")).await.unwrap(), b"");
}

#[tokio::test]
async fn a_stream_that_is_cut_fails_and_does_not_just_end() {
    let error = read(Reply::Truncated("0123456789")).await.unwrap_err();
    assert_eq!(error.code, "answer-cut-short");
    assert_eq!(
        read(Reply::Slow).await.unwrap_err().code,
        "answer-cut-short"
    );
}

#[tokio::test]
async fn a_sign_in_page_is_not_a_file() {
    assert_eq!(
        read(html(200)).await.unwrap_err().code,
        "credential-refused"
    );
    assert_eq!(
        read(html(203)).await.unwrap_err().code,
        "credential-refused"
    );
    assert_eq!(
        read(answer(200, "<!DOCTYPE html><html>"))
            .await
            .unwrap_err()
            .code,
        "credential-refused"
    );
}

#[tokio::test]
async fn an_error_document_is_not_a_file() {
    let error = r#"{"$id":"1","innerException":null,"message":"TF14045: gone","typeName":"A","typeKey":"FileIdNotFoundException"}"#;
    let refused = read(json(error)).await.unwrap_err();
    assert_eq!(refused.code, "answer-not-understood");
    assert!(refused.message.contains("TF14045"), "{refused}");
}

#[tokio::test]
async fn files_that_are_html_or_json_are_files() {
    let page = html(200).with("Content-Disposition", "attachment; filename=\"a.html\"");
    assert!(read(page).await.unwrap().starts_with(b"<!DOCTYPE"));
    assert_eq!(read(json("{\"a\": 1}")).await.unwrap(), b"{\"a\": 1}");
}

#[tokio::test]
async fn the_length_is_known_before_the_content() {
    let server = Server::script([answer(200, "12345")]).await;
    let body = server.client().get("dev", "/x").open().await.unwrap();
    assert_eq!(body.length, Some(5));
}

#[tokio::test]
async fn a_compressed_answer_is_what_it_was_before() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let document = format!("{{\"value\":[{}1]}}", "1,".repeat(50_000));
    encoder.write_all(document.as_bytes()).unwrap();
    let packed = json(encoder.finish().unwrap()).with("Content-Encoding", "gzip");
    let server = Server::script([packed]).await;
    let answer = server.client().get("dev", "/x").send().await.unwrap();
    assert_eq!(server.seen()[0].headers["accept-encoding"], "gzip");
    assert_eq!(answer.values().unwrap().len(), 50_001);
}

#[tokio::test]
async fn an_answer_over_the_limit_is_refused() {
    let server = Server::script([json(vec![b' '; (1 << 20) + 1])]).await;
    let error = server.client().get("dev", "/x").send().await.unwrap_err();
    assert_eq!((error.code, server.seen().len()), ("body-too-large", 1));
}

#[tokio::test]
async fn the_continuation_token_is_found_on_any_answer() {
    let server = Server::script([
        json("{}").with("x-MS-ContinuationToken", "813;350;1"),
        json("{}"),
    ])
    .await;
    let client = server.client();
    assert_eq!(
        client.get("dev", "/x").send().await.unwrap().continuation(),
        Some("813;350;1")
    );
    assert_eq!(
        client.get("dev", "/x").send().await.unwrap().continuation(),
        None
    );
}

#[tokio::test]
async fn an_answer_that_is_not_json_names_the_request() {
    let server = Server::script([answer(200, "nope").with("Content-Type", "text/plain")]).await;
    let error = server
        .client()
        .get("dev", "/_apis/x?a=1")
        .send()
        .await
        .unwrap()
        .values()
        .unwrap_err();
    assert_eq!(error.code, "answer-not-understood");
    assert!(error.message.starts_with("GET dev/_apis/x: "), "{error}");
}
