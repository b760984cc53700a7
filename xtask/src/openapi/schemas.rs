//! The objects of the document.

use std::collections::BTreeSet;

use crate::{
    openapi::node::{Node, map, plain, texts},
    spec::{Enum, Spec, Type},
    ty::{self, Ty},
};

pub(super) fn components(spec: &Spec) -> Node {
    let mut schemas: Vec<(String, Node)> = Vec::new();
    for domain in &spec.domains {
        schemas.extend(domain.r#type.iter().map(|(name, kind)| (name.to_owned(), object(kind))));
        schemas
            .extend(domain.r#enum.iter().map(|(name, kind)| (name.to_owned(), string_enum(kind))));
    }
    schemas.extend(handwritten());
    schemas.sort_by(|(a, _), (b, _)| a.cmp(b));
    let scopes = spec.string_enum("Scope").into_iter().flat_map(|scopes| &scopes.values);
    let scopes = scopes.map(|scope| (scope.value.clone(), plain(&scope.doc))).collect();
    let flow = map([
        ("authorizationUrl", "https://accounts.spotify.com/authorize".into()),
        ("tokenUrl", "https://accounts.spotify.com/api/token".into()),
        ("scopes", Node::Map(scopes)),
    ]);
    let oauth = map([("type", "oauth2".into()), ("flows", map([("authorizationCode", flow)]))]);
    let error = map([("application/json", map([("schema", reference("Error"))]))]);
    let error =
        map([("description", "The request was refused, or it failed.".into()), ("content", error)]);
    map([
        ("schemas", Node::Map(schemas)),
        ("responses", map([("Error", error)])),
        ("securitySchemes", map([("oauth", oauth)])),
    ])
}

fn object(kind: &Type) -> Node {
    let mut fields: Vec<(String, Node)> = Vec::new();
    let text = |words: &str| map([("type", "string".into()), ("description", words.into())]);
    if let Some(object) = &kind.object {
        let one = map([("type", "string".into()), ("const", object.as_str().into())]);
        fields.push(("type".to_owned(), one.with("description", "Type of the object.")));
    }
    for field in &kind.fields {
        let gone = field.gone.as_ref();
        let gone = gone
            .map_or(String::new(), |month| format!(" Missing in Development Mode since {month}."));
        let words = format!("{}{gone}", field.doc);
        fields.push((field.json().to_owned(), described(schema(&field.ty), &words)));
        if let Some(old) = &field.renamed_from {
            let words = format!("Old name of `{}`.", field.json());
            let old_one = described(schema(&field.ty), &words).with("deprecated", Node::Flag(true));
            fields.push((old.clone(), old_one));
        }
        if field.name == "release_date" {
            let words = "Precision of the date: `year`, `month` or `day`.";
            fields.push(("release_date_precision".to_owned(), text(words)));
        }
        if field.name == "id" && kind.object.is_some() {
            let links = map([
                ("type", "object".into()),
                ("description", "Web pages of the object. Each key is the name of a site.".into()),
                ("properties", map([("spotify", text("The page on Spotify's website."))])),
            ]);
            let more = [
                ("uri", text("The URI.")),
                ("href", text("API URL of the object.")),
                ("external_urls", links),
            ];
            fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
    }
    // If a field and a link have the same name, the schema contains only the field. For example,
    // the spec lists the field `uri` of a track, because the URI of a local file contains no id.
    let mut seen = BTreeSet::new();
    fields.retain(|(name, _)| seen.insert(name.clone()));
    let required: Vec<&str> =
        kind.fields.iter().filter(|field| field.required).map(|field| field.json()).collect();
    map([("type", "object".into()), ("description", plain(&kind.doc))])
        .with_some("required", (!required.is_empty()).then(|| texts(required)))
        .with("properties", Node::Map(fields))
}

pub(super) fn string_enum(kind: &Enum) -> Node {
    let values = kind.values.iter().map(|value| format!("- `{}`: {}", value.value, value.doc));
    let words = format!(
        "{}\n\n{}\n\nSpotify may add more values.",
        kind.doc,
        values.collect::<Vec<_>>().join("\n")
    );
    let values = texts(kind.values.iter().map(|value| value.value.as_str()));
    map([("type", "string".into()), ("description", plain(&words)), ("enum", values)])
}

/// The schemas of types that are not in the spec.
fn handwritten() -> Vec<(String, Node)> {
    let text = |words: &str| map([("type", "string".into()), ("description", words.into())]);
    let whole = || map([("type", "integer".into())]);
    let link =
        |words: &str| map([("type", texts(["string", "null"])), ("description", words.into())]);
    let mut all: Vec<(&str, Node)> = ty::COPY_IDS
        .iter()
        .map(|name| (*name, text("An id.").with("pattern", "^[0-9A-Za-z]{1,22}$")))
        .collect();
    all.extend(
        ty::TEXT_IDS.iter().map(|name| (*name, text("An id, which can be any non-empty string."))),
    );
    all.extend(ty::URI_GROUPS.iter().map(|name| (*name, text("A URI of Spotify."))));
    let cursors = map([
        ("type", "object".into()),
        (
            "properties",
            map([
                ("after", link("Cursor of the last entry.")),
                ("before", link("Cursor of the first entry.")),
            ]),
        ),
    ]);
    let page = map([
        ("href", text("API URL of this page.")),
        ("limit", whole()),
        ("offset", whole()),
        ("total", map([("type", texts(["integer", "null"]))])),
        ("next", link("API URL of the next page.")),
        ("previous", link("API URL of the previous page.")),
    ]);
    let cursor_page = map([
        ("href", text("API URL of this page.")),
        ("limit", whole()),
        ("total", map([("type", texts(["integer", "null"]))])),
        ("next", link("API URL of the next page.")),
        ("cursors", cursors),
    ]);
    let offset = map([
        ("position", whole().with("description", "Index of the item, from 0.")),
        ("uri", text("URI of the item.")),
    ]);
    let message = map([
        ("status", whole()),
        ("message", text("Description of the error.")),
        (
            "reason",
            text("Name of the reason. Only errors of the player and of quotas have a reason."),
        ),
    ]);
    let message = map([("type", "object".into()), ("properties", message)]);
    let items = vec![reference("Track"), reference("Episode")];
    all.extend([
        (
            "Country",
            text("A country code: two letters of ISO 3166-1.").with("pattern", "^[A-Z]{2}$"),
        ),
        ("CountrySet", list_of(reference("Country"))),
        ("CursorPage", map([("type", "object".into()), ("properties", cursor_page)])),
        ("Error", map([("type", "object".into()), ("properties", map([("error", message)]))])),
        ("LocalFile", text("URI of a local file.")),
        ("Page", map([("type", "object".into()), ("properties", page)])),
        ("PlayableItem", map([("oneOf", Node::List(items))])),
        ("PlaybackOffset", map([("type", "object".into()), ("properties", offset)])),
        ("Fields", text("Names of fields, with nested fields in parentheses.")),
        ("ReleaseDate", text("A date: a year, a month or a day.")),
        ("SearchQuery", text("Search terms, and filters such as `artist:name`.")),
        ("Uri", text("A URI of Spotify.")),
    ]);
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

pub(super) fn schema(ty: &Ty) -> Node {
    let kind = |name: &str| map([("type", name.into())]);
    match ty {
        Ty::Unit => map([]),
        Ty::Text => kind("string"),
        Ty::Bool => kind("boolean"),
        Ty::Int(_) | Ty::Duration | Ty::UnixMillis => kind("integer"),
        Ty::Float(_) | Ty::Seconds => kind("number"),
        Ty::Timestamp => kind("string").with("format", "date-time"),
        Ty::Date => reference("ReleaseDate"),
        Ty::Named(name) => reference(name),
        Ty::Boxed(inner) => schema(inner),
        Ty::Optional(inner) => nullable(schema(inner)),
        Ty::List(inner) => list_of(schema(inner)),
        Ty::Page(inner) => page_of("Page", vec![schema(inner)]),
        Ty::CursorPage(inner) => page_of("CursorPage", vec![schema(inner)]),
    }
}

fn reference(name: &str) -> Node {
    map([("$ref", format!("#/components/schemas/{name}").as_str().into())])
}

pub(super) fn list_of(items: Node) -> Node {
    map([("type", "array".into()), ("items", items)])
}

/// A page whose entries have one of the given schemas.
pub(super) fn page_of(page: &str, mut items: Vec<Node>) -> Node {
    let items = match items.len() {
        1 => items.remove(0),
        _ => map([("oneOf", Node::List(items))]),
    };
    let more = map([("type", "object".into()), ("properties", map([("items", list_of(items))]))]);
    map([("allOf", Node::List(vec![reference(page), more]))])
}

fn nullable(schema: Node) -> Node {
    match schema {
        Node::Map(fields) if fields.len() == 1 && fields.iter().all(|(name, _)| name == "type") => {
            let kind = fields.into_iter().map(|(_, kind)| kind);
            map([("type", Node::List(kind.chain(["null".into()]).collect()))])
        }
        other => map([("oneOf", Node::List(vec![other, map([("type", "null".into())])]))]),
    }
}

/// A schema with a description. A `$ref` is wrapped in a list `allOf`, because some tools ignore
/// other keys next to `$ref`.
pub(super) fn described(schema: Node, doc: &str) -> Node {
    let is_reference =
        matches!(&schema, Node::Map(fields) if fields.iter().any(|(name, _)| name == "$ref"));
    let schema = if is_reference { map([("allOf", Node::List(vec![schema]))]) } else { schema };
    if doc.is_empty() { schema } else { schema.with("description", plain(doc)) }
}
