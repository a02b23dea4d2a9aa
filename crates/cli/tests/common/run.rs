//! What one run of the program said.

use std::process::Output;

use serde_json::Value;

#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    /// The JSON lines of standard output.
    pub(crate) events: Vec<Value>,
    told: String,
}

impl Ran {
    /// Whatever the program says, every code in it can be explained and no secret is in it.
    pub(crate) fn new(arguments: &[&str], output: &Output, secrets: &[&str]) -> Self {
        let (out, err) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        let told = format!("keepward {}\n{out}\n{err}", arguments.join(" "));
        for secret in secrets {
            assert!(
                !out.contains(secret) && !err.contains(secret),
                "a secret in what was said: {told}"
            );
        }
        let parse =
            |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {told}"));
        let events: Vec<Value> = out.lines().map(parse).collect();
        let ran = Self {
            code: output.status.code(),
            events,
            told,
        };
        for code in ran.codes() {
            assert!(
                model::code::find(&code).is_some(),
                "{code} cannot be explained: {}",
                ran.told
            );
        }
        ran
    }

    #[track_caller]
    pub(crate) fn exits(&self, code: i32) {
        assert_eq!(self.code, Some(code), "{}", self.told);
    }

    /// Failed with a code, a message and what to do.
    #[track_caller]
    pub(crate) fn refuses(&self, exit: i32, code: &str) {
        self.exits(exit);
        let error = self.event("error");
        assert_eq!(error["code"], code, "{}", self.told);
        assert_eq!(error["exit"], exit, "{}", self.told);
        for name in ["message", "hint"] {
            assert!(
                error[name].as_str().is_some_and(|text| text.len() > 5),
                "{}",
                self.told
            );
        }
    }

    /// The last event of this name.
    #[track_caller]
    pub(crate) fn event(&self, name: &str) -> &Value {
        let found = self.events.iter().rfind(|event| event["event"] == name);
        found.unwrap_or_else(|| panic!("no event {name}: {}", self.told))
    }

    pub(crate) fn issues(&self) -> Vec<&Value> {
        let issues = self.events.iter().filter(|event| event["event"] == "issue");
        issues.map(|event| &event["issue"]).collect()
    }

    /// The preflight's line on this kind of data.
    #[track_caller]
    pub(crate) fn check(&self, name: &str) -> &Value {
        let mut checks = self.events.iter().filter(|event| event["event"] == "check");
        checks
            .find(|event| event["name"] == name)
            .unwrap_or_else(|| panic!("no check {name}: {}", self.told))
    }

    /// Every code in what was said.
    pub(crate) fn codes(&self) -> Vec<String> {
        let own = self
            .events
            .iter()
            .filter_map(|event| event["code"].as_str());
        let issues = self
            .events
            .iter()
            .filter_map(|event| event["issue"]["code"].as_str());
        own.chain(issues).map(str::to_owned).collect()
    }

    pub(crate) fn told(&self) -> &str {
        &self.told
    }
}
