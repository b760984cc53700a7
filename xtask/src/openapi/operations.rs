//! The operations of the document.

use std::collections::BTreeSet;

use crate::{
    contract::{self, Need, Parameter, Place},
    openapi::{
        node::{Node, map, plain, texts},
        schemas::{described, list_of, page_of, schema, string_enum},
    },
    spec::{Access, Domain, Op, SendAs, Spec},
    ty::Ty,
};

pub(super) fn paths(spec: &Spec) -> Node {
    let calls: BTreeSet<&str> = spec.ops().map(|(_, op)| op.call.as_str()).collect();
    let mut paths: Vec<(String, Node)> = Vec::new();
    let mut by_path: Vec<(&str, &str)> =
        calls.iter().filter_map(|call| call.split_once(' ')).collect();
    by_path.sort_by_key(|(_, path)| *path);
    for (method, path) in by_path {
        let ops: Vec<(&Domain, &Op)> = spec
            .domains
            .iter()
            .flat_map(|domain| domain.op.iter().map(move |(_, op)| (domain, op)))
            .filter(|(_, op)| op.call.split_once(' ') == Some((method, path)))
            .collect();
        let operation = operation(spec, &ops);
        match paths.last_mut() {
            Some((last, item)) if last == path => {
                *item = item.clone().with(&method.to_lowercase(), operation);
            }
            _ => paths.push((path.to_owned(), map([(method.to_lowercase().as_str(), operation)]))),
        }
    }
    Node::Map(paths)
}

/// One operation of the document. Several calls can have the same method and path.
fn operation(spec: &Spec, ops: &[(&Domain, &Op)]) -> Node {
    let Some((domain, op)) = ops.first() else { return map([]) };
    let ops: Vec<&Op> = ops.iter().map(|(_, op)| *op).collect();
    let summary: Vec<&str> = ops.iter().map(|op| op.doc.as_str()).collect();
    let mut words = op.notes.clone();
    let access = match op.access {
        Access::Any => "any",
        Access::Extended => {
            words.push(
                "Not available to applications in Development Mode since 2026-02-11.".to_owned(),
            );
            "extended"
        }
        Access::Closed2024 => {
            words.push("Not available to applications registered since 2024-11-27.".to_owned());
            "closed_2024"
        }
    };
    let parameters = contract::merged(spec, &ops);
    let in_place =
        |place: Place| parameters.iter().filter(move |parameter| parameter.place == place);
    let listed: Vec<Node> = in_place(Place::Path)
        .chain(in_place(Place::Query))
        .map(|param| listed(spec, param))
        .collect();
    let words = (!words.is_empty()).then(|| plain(&words.join(" ")));
    let deprecated = (op.access != Access::Any).then_some(Node::Flag(true));
    let body = body(spec, in_place(Place::Body).collect(), in_place(Place::File).next());
    map([
        ("operationId", op.id.as_str().into()),
        ("tags", texts([domain.name.as_str()])),
        ("summary", plain(&summary.join(" "))),
    ])
    .with_some("description", words)
    .with_some("deprecated", deprecated)
    .with("x-access", access)
    .with("x-idempotent", Node::Flag(ops.iter().all(|op| op.is_idempotent())))
    .with(
        "security",
        Node::List(vec![map([("oauth", texts(op.scopes.iter().map(String::as_str)))])]),
    )
    .with_some("parameters", (!listed.is_empty()).then_some(Node::List(listed)))
    .with_some("requestBody", body)
    .with("responses", responses(spec, &ops))
}

fn listed(spec: &Spec, parameter: &Parameter) -> Node {
    let is_list = matches!(parameter.ty, Ty::List(_));
    map([
        ("name", parameter.name.as_str().into()),
        ("in", parameter.place.name().into()),
        ("description", plain(&parameter.doc)),
        (
            "required",
            Node::Flag(parameter.place == Place::Path || parameter.need != Need::Optional),
        ),
    ])
    .with_some("explode", is_list.then_some(Node::Flag(false)))
    .with("schema", value(spec, parameter))
}

/// The schema of a parameter.
fn value(spec: &Spec, parameter: &Parameter) -> Node {
    let limits = |node: Node| {
        let default = parameter
            .default
            .as_ref()
            .map(|default| default.parse().map_or_else(|_| default.as_str().into(), Node::Number));
        node.with_some("minimum", parameter.min.map(Node::Number))
            .with_some("maximum", parameter.max.map(Node::Number))
            .with_some("default", default)
    };
    let text = || map([("type", "string".into())]);
    match (&parameter.ty, parameter.send) {
        (ty, Some(SendAs::List)) => list_of(schema(ty)),
        (_, Some(SendAs::Objects)) => {
            list_of(map([("type", "object".into()), ("properties", map([("uri", text())]))]))
        }
        (_, Some(SendAs::Timestamped)) => {
            let properties = map([("id", text()), ("added_at", schema(&Ty::Timestamp))]);
            list_of(map([("type", "object".into()), ("properties", properties)]))
        }
        // A constant parameter is a string in the spec, so the spec has no enum with the allowed
        // values.
        (Ty::Text, _) if !parameter.values.is_empty() => {
            let values = texts(parameter.values.iter().map(String::as_str));
            // Each call of the SDK sends one of the allowed values.
            limits(text().with("enum", values))
        }
        // Some tools ignore keys next to `$ref`.
        (Ty::Named(name), _) if parameter.default.is_some() => {
            let kind = spec.string_enum(name).map_or_else(text, string_enum);
            limits(kind)
        }
        (ty, _) => limits(schema(ty)),
    }
}

fn body(spec: &Spec, fields: Vec<&Parameter>, file: Option<&Parameter>) -> Option<Node> {
    if let Some(file) = file {
        let schema = map([("type", "string".into()), ("contentEncoding", "base64".into())]);
        let content = map([(file.name.as_str(), map([("schema", schema)]))]);
        let text = plain(&file.doc);
        return Some(map([
            ("description", text),
            ("required", Node::Flag(true)),
            ("content", content),
        ]));
    }
    if fields.is_empty() {
        return None;
    }
    let required: Vec<&str> = fields
        .iter()
        .filter(|field| field.need != Need::Optional)
        .map(|field| field.name.as_str())
        .collect();
    let is_required = Node::Flag(!required.is_empty());
    let properties =
        fields.iter().map(|field| (field.name.clone(), described(value(spec, field), &field.doc)));
    let schema = map([("type", "object".into()), ("properties", Node::Map(properties.collect()))])
        .with_some("required", (!required.is_empty()).then(|| texts(required)));
    let content = map([("application/json", map([("schema", schema)]))]);
    Some(map([("required", is_required), ("content", content)]))
}

fn responses(spec: &Spec, ops: &[&Op]) -> Node {
    let Some(op) = ops.first() else { return map([]) };
    let error = map([("$ref", "#/components/responses/Error".into())]);
    let empty = |text: &str| map([("description", text.into())]);
    let returns: Vec<Ty> = ops.iter().filter_map(|op| Ty::parse(&op.returns).ok()).collect();
    let out = match returns.as_slice() {
        [] | [Ty::Unit, ..] => map([("2XX", empty("Success. If there is a body, ignore it."))]),
        [first, ..] => {
            let (first, may_be_missing) = match first {
                Ty::Optional(inner) => (&**inner, true),
                other => (other, false),
            };
            let schema = match first {
                Ty::Page(_) => {
                    let mut items: Vec<Node> = Vec::new();
                    let mut seen = BTreeSet::new();
                    for returns in &returns {
                        if let Ty::Page(item) = returns
                            && seen.insert(item.rust())
                        {
                            items.push(schema(item));
                        }
                    }
                    page_of("Page", items)
                }
                other => schema(other),
            };
            let schema = match &op.unwrap {
                Some(field) => map([
                    ("type", "object".into()),
                    ("required", texts([field.as_str()])),
                    ("properties", map([(field.as_str(), schema)])),
                ]),
                None => schema,
            };
            let content = map([("application/json", map([("schema", schema)]))]);
            let text = plain(&spec_words(spec, first).unwrap_or_else(|| op.doc.clone()));
            let status = if op.call.starts_with("POST") { "201" } else { "200" };
            let found = map([("description", text), ("content", content)]);
            map([(status, found)]).with_some("204", may_be_missing.then(|| empty("No content.")))
        }
    };
    out.with("default", error)
}

/// The description of a type in the spec.
fn spec_words(spec: &Spec, ty: &Ty) -> Option<String> {
    match ty {
        Ty::Named(name) => Some(spec.kind(name)?.doc.clone()),
        Ty::Page(_) | Ty::CursorPage(_) => Some("A page.".to_owned()),
        _ => None,
    }
}
