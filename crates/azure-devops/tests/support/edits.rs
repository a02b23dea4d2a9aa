//! What people do at the service between two backups.

use serde_json::{Value, json};
use service::http::{Client, Method};

pub(crate) async fn delete(http: &Client, path: &str) {
    let call = http.call(Method::DELETE, "dev", path).version("7.1");
    call.send().await.unwrap();
}

/// Changes a work item; it as it is then.
pub(crate) async fn patch(http: &Client, id: &str, operations: &Value) -> Value {
    let path = format!("/_apis/wit/workitems/{id}");
    let call = http.call(Method::PATCH, "dev", &path).version("7.1");
    let call = call.body("application/json-patch+json", operations.to_string());
    call.send().await.unwrap().json().unwrap()
}

/// Writes one field of a work item.
pub(crate) async fn edit(http: &Client, id: &str, field: &str, value: &str) -> Value {
    let path = format!("/fields/{field}");
    let operations = json!([{ "op": "add", "path": path, "value": value }]);
    patch(http, id, &operations).await
}

/// Ends all faults.
pub(crate) async fn heal(http: &Client) {
    let call = http.call(Method::DELETE, "root", "/__faults");
    call.send().await.unwrap();
}
