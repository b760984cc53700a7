//! The OpenAPI document of the control interface.

use schemars::{SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

use crate::control::{bodies::ErrorBody, operation::Operation};

/// Creates the OpenAPI document of these operations, for a mock at this base URL.
pub(super) fn document(base_url: &str, operations: &[Operation]) -> Value {
    let mut settings = SchemaSettings::draft2020_12();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut generator = SchemaGenerator::new(settings);
    let error = generator.subschema_for::<ErrorBody>();
    let mut paths = Map::new();
    for operation in operations {
        let mut entry = Map::new();
        entry.insert("operationId".to_owned(), operation.id.into());
        entry.insert("summary".to_owned(), operation.summary.into());
        let mut parameters: Vec<Value> = operation
            .query
            .iter()
            .map(|(name, description)| {
                json!({
                    "name": name,
                    "in": "query",
                    "description": description,
                    "schema": { "type": "string" },
                })
            })
            .collect();
        if operation.path.ends_with("{key}") {
            let pattern = "^[A-Za-z0-9._~-]{1,100}$";
            parameters.push(json!({
                "name": "key",
                "in": "path",
                "required": true,
                "description": "Key of the isolated instance with the base URL /_mock/worlds/{key}",
                "schema": { "type": "string", "pattern": pattern },
            }));
        }
        if !parameters.is_empty() {
            entry.insert("parameters".to_owned(), parameters.into());
        }
        if let Some(body) = operation.body {
            let schema = body(&mut generator);
            entry.insert(
                "requestBody".to_owned(),
                json!({ "content": { "application/json": { "schema": schema } } }),
            );
        }
        let mut answer = json!({ "description": "Done" });
        if let (Some(schema), Value::Object(answer)) = (operation.answer, &mut answer) {
            let schema = schema(&mut generator);
            answer
                .insert("content".to_owned(), json!({ "application/json": { "schema": schema } }));
        }
        let mut answers = Map::new();
        answers.insert(operation.status.to_string(), answer);
        let failure = json!({
            "description": "Error of the request",
            "content": { "application/json": { "schema": error } },
        });
        answers.insert("4XX".to_owned(), failure);
        entry.insert("responses".to_owned(), answers.into());
        let path = paths.entry(operation.path.to_owned()).or_insert_with(|| json!({}));
        if let Value::Object(path) = path {
            path.insert(operation.method.to_lowercase(), entry.into());
        }
    }
    // The control interface itself has an empty path, which OpenAPI writes as `/`.
    if let Some(root) = paths.remove("") {
        paths.insert("/".to_owned(), root);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "spot-mock control interface",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Controls a mock of the Spotify Web API in tests.",
        },
        "servers": [{ "url": format!("{base_url}/_mock") }],
        "paths": paths,
        "components": { "schemas": generator.take_definitions(true) },
    })
}
