//! The ways to sign in as people choose between them.

/// A way to sign in, in words.
#[derive(Clone, Copy, Debug)]
pub struct Method {
    /// As in [`model::SignIn::method`].
    pub name: &'static str,
    pub title: &'static str,
    /// What it is good for.
    pub usage: &'static str,
    /// How long it lasts without anybody doing anything.
    pub life: &'static str,
    /// One of the two that are shown first (SRE-14).
    pub first: bool,
    /// A person has to sign in.
    pub person: bool,
    /// Of these services; tokens are of one alone.
    pub services: &'static [&'static str],
}

const BOTH: &[&str] = &["azure-devops", "microsoft-365"];
const DEVOPS: &[&str] = &["azure-devops"];

pub static METHODS: &[Method] = &[
    Method {
        name: "user",
        title: "User account",
        usage: "Quick set-up: sign in with an account that sees what is to be protected. Only what it sees is listed.",
        life: "Tokens refresh by themselves about every hour. A changed password, a revoked session or 90 days without use end them; then somebody signs in again.",
        first: true,
        person: true,
        services: BOTH,
    },
    Method {
        name: "managed-identity",
        title: "Managed identity",
        usage: "Unattended: the identity of the Azure machine that Keepward runs on. Nobody signs in, now or later.",
        life: "No expiry: the platform gives tokens as long as the identity is assigned.",
        first: true,
        person: false,
        services: BOTH,
    },
    Method {
        name: "federated-identity",
        title: "Federated identity (another tenant)",
        usage: "The machine's managed identity, which an app of another tenant trusts. Give client id and tenant of that app, both or neither.",
        life: "No expiry, and no secret that could leak.",
        first: false,
        person: false,
        services: BOTH,
    },
    Method {
        name: "certificate",
        title: "App with a certificate",
        usage: "Unattended, from anywhere: an app registration of your own with a certificate.",
        life: "Until the certificate expires.",
        first: false,
        person: false,
        services: BOTH,
    },
    Method {
        name: "client-secret",
        title: "App with a client secret",
        usage: "Unattended, from anywhere: an app registration of your own with a client secret.",
        life: "Until the secret expires, at most two years.",
        first: false,
        person: false,
        services: BOTH,
    },
    Method {
        name: "workload-identity",
        title: "Workload identity",
        usage: "Unattended, in Kubernetes or a pipeline: an app trusts a token that the platform keeps fresh in a file.",
        life: "No expiry: the platform renews the file.",
        first: false,
        person: false,
        services: BOTH,
    },
    Method {
        name: "pat",
        title: "Personal Access Token (PAT)",
        usage: "For one organization, for Azure DevOps Server, and for organizations of personal accounts.",
        life: "Until the token expires, at most a year. It does not renew itself.",
        first: false,
        person: false,
        services: DEVOPS,
    },
];
