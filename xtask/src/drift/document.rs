//! Reads the operations, parameters, scopes and schemas of an OpenAPI document.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use serde_json::Value;

use crate::{contract::Place, spec::Error};

pub(super) struct Document {
    root: Value,
}

/// A parameter in the document.
pub(super) struct Parameter<'a> {
    pub(super) required: bool,
    pub(super) schema: &'a Value,
}

/// The successful response of an operation.
#[derive(Default)]
pub(super) struct Answer<'a> {
    pub(super) schema: Option<&'a Value>,
    /// Whether the response may have no content (204).
    pub(super) may_be_missing: bool,
}

impl Document {
    pub(super) fn read(file: &Path) -> Result<Self, Error> {
        read(file).map(Self::new)
    }

    pub(super) fn new(root: Value) -> Self {
        Self { root }
    }

    /// The operations of the document. The key is the call, for example `GET /albums/{id}`.
    pub(super) fn operations(&self) -> BTreeMap<String, &Value> {
        let mut all = BTreeMap::new();
        for (path, item) in entries(self.root.get("paths")) {
            for method in ["get", "put", "post", "delete", "patch"] {
                if let Some(operation) = item.get(method) {
                    all.insert(format!("{} {path}", method.to_uppercase()), operation);
                }
            }
        }
        all
    }

    /// Every scope in the document.
    pub(super) fn scopes(&self) -> BTreeSet<&str> {
        let schemes = self.root.pointer("/components/securitySchemes");
        let flows = entries(schemes).flat_map(|(_, scheme)| entries(scheme.get("flows")));
        flows.flat_map(|(_, flow)| entries(flow.get("scopes"))).map(|(scope, _)| scope).collect()
    }

    /// Returns the target of a reference. For a nullable schema, returns the alternative that is
    /// not null. Returns other values unchanged.
    pub(super) fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let target = reference(value).and_then(|target| target.strip_prefix('#'));
        if let Some(found) = target.and_then(|target| self.root.pointer(target)) {
            return self.resolve(found);
        }
        let mut choices = list(value.get("oneOf")).filter(|choice| text(choice, "type") != "null");
        match (choices.next(), choices.next()) {
            (Some(only), None) => self.resolve(only),
            _ => value,
        }
    }

    pub(super) fn parameters<'a>(
        &'a self,
        operation: &'a Value,
    ) -> BTreeMap<(Place, String), Parameter<'a>> {
        let mut all = BTreeMap::new();
        for parameter in list(operation.get("parameters")) {
            let parameter = self.resolve(parameter);
            let place = match text(parameter, "in") {
                "path" => Place::Path,
                "query" => Place::Query,
                // The spec has no headers or cookies, so a header or cookie parameter is reported
                // as a difference.
                _ => Place::File,
            };
            let schema = self.resolve(parameter.get("schema").unwrap_or(&Value::Null));
            let required = is_true(parameter, "required");
            all.insert((place, text(parameter, "name").to_owned()), Parameter { required, schema });
        }
        let body = operation.get("requestBody").map(|body| self.resolve(body));
        for (kind, content) in entries(body.and_then(|body| body.get("content"))) {
            let schema = self.resolve(content.get("schema").unwrap_or(&Value::Null));
            if kind != "application/json" {
                all.insert((Place::File, kind.to_owned()), Parameter { required: true, schema });
                continue;
            }
            let required: Vec<_> = list(schema.get("required")).filter_map(Value::as_str).collect();
            for (name, schema) in self.fields(schema) {
                let required = required.contains(&name.as_str());
                all.insert((Place::Body, name), Parameter { required, schema });
            }
        }
        all
    }

    pub(super) fn answer<'a>(&'a self, operation: &'a Value) -> Answer<'a> {
        let mut answer = Answer::default();
        for (status, response) in entries(operation.get("responses")) {
            if !status.starts_with('2') {
                continue;
            }
            let content = self.resolve(response).pointer("/content/application~1json/schema");
            match content {
                Some(schema) if entries(Some(schema)).next().is_some() => {
                    answer.schema = Some(schema);
                }
                _ => answer.may_be_missing = true,
            }
        }
        answer
    }

    /// The fields of an object, including the fields of its `allOf` parts.
    pub(super) fn fields<'a>(&'a self, schema: &'a Value) -> BTreeMap<String, &'a Value> {
        let schema = self.resolve(schema);
        let own = entries(schema.get("properties")).map(|(name, value)| (name.to_owned(), value));
        let parts = list(schema.get("allOf")).flat_map(|part| self.fields(part));
        parts.chain(own).collect()
    }

    /// The alternative schemas of an object (`oneOf` and `anyOf`).
    pub(super) fn choices<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let own = ["oneOf", "anyOf"].into_iter().flat_map(|name| list(schema.get(name)));
        let parts = list(schema.get("allOf")).flat_map(|part| self.choices(part));
        own.chain(parts).collect()
    }

    /// The type of a schema, for example `integer`, `array` or `object`. Returns an empty string if
    /// the document does not state the type.
    pub(super) fn kind<'a>(&'a self, schema: &'a Value) -> &'a str {
        let schema = self.resolve(schema);
        let kind = schema.get("type");
        let kinds = list(kind).chain(kind).filter_map(Value::as_str);
        match kinds.into_iter().find(|kind| *kind != "null") {
            Some(kind) => kind,
            None if schema.get("properties").is_some() || schema.get("allOf").is_some() => {
                list(schema.get("allOf"))
                    .map(|part| self.kind(part))
                    .find(|kind| !kind.is_empty() && *kind != "object")
                    .unwrap_or("object")
            }
            None => "",
        }
    }

    /// The `enum` values of a schema, or of the entries if the schema is a list. Returns `None` if
    /// there is no `enum`.
    pub(super) fn values<'a>(&'a self, schema: &'a Value) -> Option<BTreeSet<&'a str>> {
        let schema = self.resolve(schema);
        if let Some(items) = schema.get("items") {
            return self.values(items);
        }
        let own = schema.get("enum").map(|values| list(Some(values)).filter_map(Value::as_str));
        own.map(Iterator::collect)
            .or_else(|| list(schema.get("allOf")).find_map(|part| self.values(part)))
    }
}

/// Reads an OpenAPI document from a file, in YAML or JSON.
pub fn read(file: &Path) -> Result<Value, Error> {
    let fail = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(file).map_err(|error| fail(&error))?;
    let root: Value = serde_saphyr::from_str(&text).map_err(|error| fail(&error))?;
    if root.get("openapi").is_none() || root.get("paths").is_none() {
        return Err(fail(&"not an OpenAPI document: `openapi` or `paths` is missing"));
    }
    Ok(root)
}

/// The name of the schema in a reference, for example `AlbumObject`.
pub(super) fn schema_name(value: &Value) -> &str {
    reference(value).and_then(|target| target.rsplit('/').next()).unwrap_or_default()
}

fn reference(value: &Value) -> Option<&str> {
    value.get("$ref")?.as_str()
}

pub(super) fn entries(value: Option<&Value>) -> impl Iterator<Item = (&str, &Value)> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields.map(|(name, value)| (name.as_str(), value))
}

pub(super) fn list(value: Option<&Value>) -> impl Iterator<Item = &Value> {
    value.and_then(Value::as_array).into_iter().flatten()
}

pub(super) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value.get(name).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn is_true(value: &Value, name: &str) -> bool {
    value.get(name).and_then(Value::as_bool).unwrap_or_default()
}
