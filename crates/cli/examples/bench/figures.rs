//! A figure with its goal.

/// Ours against the peer's; the ratio is to stay at or below the goal.
pub(crate) struct Figure {
    pub name: &'static str,
    pub ours: f64,
    pub peer: f64,
    pub goal: f64,
    pub unit: &'static str,
}

impl Figure {
    pub(crate) fn ratio(&self) -> f64 {
        self.ours / self.peer
    }

    pub(crate) fn json(&self) -> String {
        let round = |value: f64| (value * 1000.0).round() / 1000.0;
        serde_json::json!({
            "figure": self.name,
            "ours": round(self.ours),
            "peer": round(self.peer),
            "ratio": round(self.ratio()),
            "goal": self.goal,
            "unit": self.unit,
        })
        .to_string()
    }
}

pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
