//! The description of the interface.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, SecurityRequirement, ServerBuilder,
};

use crate::{api, problem};

/// Where the operations are.
pub(crate) const BASE: &str = "/api/v1";

/// The OpenAPI 3.1 document of everything under `/api/v1`.
pub fn openapi() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Keepward")
        .version("1")
        .description(Some(
            "Backup and restore of Azure DevOps organizations and Microsoft 365 tenants.\n\n\
            Errors are problem details (RFC 9457). Lists answer `{items, next}`; give `next` as `after`. \
            Writes take an `Idempotency-Key`: the same key with the same request is answered once and repeated for a day.\n\n\
            `x-permission` is the permission that an operation needs. One with `x-reach: all` is about what all connectors share, and answers \
            403 `reach-missing` to an account or token that reaches some of them alone.",
        ))
        .build();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    let components = problem::components(ComponentsBuilder::new())
        .security_scheme("token", SecurityScheme::Http(bearer))
        .security_scheme(
            "session",
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("__Host-keepward"))),
        )
        .build();
    let none: [&str; 0] = [];
    let mut document = OpenApiBuilder::new()
        .info(info)
        .servers(Some([ServerBuilder::new().url(BASE).build()]))
        .components(Some(components))
        .security(Some([
            SecurityRequirement::new("token", none),
            SecurityRequirement::new("session", none),
        ]))
        .build();
    document.merge(api::router().into_openapi());
    document
}
