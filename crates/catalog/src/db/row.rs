//! Values of result rows, by position.

use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;

use super::value::unescape;
use crate::{Error, Result};

/// A row of either database.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    pub(crate) fn int(&self, column: usize) -> Result<i64> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn text(&self, column: usize) -> Result<String> {
        Ok(unescape(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        }))
    }

    pub(crate) fn opt_text(&self, column: usize) -> Result<Option<String>> {
        let text: Option<String> = match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        };
        Ok(text.map(unescape))
    }

    pub(crate) fn blob(&self, column: usize) -> Result<Vec<u8>> {
        Ok(match self {
            Self::Sqlite(row) => row.try_get(column)?,
            Self::Postgres(row) => row.try_get(column)?,
        })
    }

    pub(crate) fn flag(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    pub(crate) fn unsigned(&self, column: usize) -> Result<u64> {
        number(self.int(column)?)
    }

    pub(crate) fn time(&self, column: usize) -> Result<Timestamp> {
        instant(self.int(column)?)
    }

    pub(crate) fn opt_time(&self, column: usize) -> Result<Option<Timestamp>> {
        self.opt_int(column)?.map(instant).transpose()
    }

    pub(crate) fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T> {
        let text = self.text(column)?;
        serde_json::from_str(&text)
            .map_err(|error| Error::damaged(format!("JSON in column {column}: {error}")))
    }

    pub(crate) fn opt_json<T: DeserializeOwned>(&self, column: usize) -> Result<Option<T>> {
        self.opt_text(column)?
            .map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| Error::damaged(format!("JSON in column {column}: {error}")))
    }

    pub(crate) fn word<T: DeserializeOwned>(&self, column: usize) -> Result<T> {
        parse_word(&self.text(column)?)
    }
}

pub(crate) fn instant(microseconds: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(microseconds)
        .map_err(|_| Error::damaged(format!("time {microseconds}")))
}

pub(crate) fn number(value: i64) -> Result<u64> {
    u64::try_from(value).map_err(|_| Error::damaged(format!("count {value}")))
}

/// The stored name of a value of a unit enum, which is its name in JSON.
pub(crate) fn word<T: Serialize>(value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err(Error::damaged("a value without a name")),
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::damaged(error.to_string()))
}

pub(crate) fn parse_word<T: DeserializeOwned>(word: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| Error::damaged(format!("word `{word}`")))
}
