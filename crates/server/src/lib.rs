//! HTTP alone: the REST interface under `/api/v1`, who may call it, and its description.
