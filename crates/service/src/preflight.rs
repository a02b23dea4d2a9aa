//! The check of a connector before anything is saved.

use async_trait::async_trait;
use serde::Serialize;

use crate::Client;

/// How a check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Pass,
    /// It works, and something is worth knowing.
    Warning,
    /// This data cannot be backed up.
    Missing,
    /// Nothing can be backed up.
    Fail,
}

/// One line of a preflight.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// `credential`, `organization`, or the kind that it is about.
    pub name: String,
    pub outcome: Outcome,
    pub message: String,
    /// What the person can do.
    pub hint: Option<String>,
    /// A code of [`model::code::CODES`] unless it passed.
    pub code: Option<&'static str>,
}

/// A service's own checks of organization and credential.
#[async_trait]
pub trait Preflight: Send + Sync {
    /// Stops at the first hard failure, collects the rest. Reads only.
    async fn check(&self, http: &Client, organization: &str) -> Vec<Check>;
}
