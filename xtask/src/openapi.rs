//! `cargo xtask openapi`: the spec as an OpenAPI document, for the tools of others.

use std::{collections::BTreeSet, path::Path};

use serde::{Serialize, Serializer, ser::SerializeMap as _};

use crate::{
    contract::{self, Need, Parameter, Place},
    say,
    spec::{Access, Domain, Enum, Error, Op, SendAs, Spec, Type},
    ty::{self, Ty},
};

pub(crate) fn run(root: &Path) -> Result<(), Error> {
    let spec = Spec::load(&root.join("xtask/spec"))?;
    say(serde_saphyr::to_string(&document(&spec)).map_err(|error| error.to_string())?.trim_end());
    Ok(())
}

/// A value of the document; the fields of a map keep their order.
#[derive(Clone)]
pub(crate) enum Node {
    Flag(bool),
    Number(i64),
    Text(String),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Serialize for Node {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Flag(flag) => flag.serialize(serializer),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => text.serialize(serializer),
            Self::List(list) => list.serialize(serializer),
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                for (name, value) in fields {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

/// A map of these fields.
fn map<const N: usize>(fields: [(&str, Node); N]) -> Node {
    Node::Map(fields.map(|(name, value)| (name.to_owned(), value)).into())
}

fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Node {
    Node::List(texts.into_iter().map(Node::from).collect())
}

impl Node {
    /// With one more field; only maps have fields.
    fn with(mut self, name: &str, value: impl Into<Node>) -> Self {
        if let Self::Map(fields) = &mut self {
            fields.push((name.to_owned(), value.into()));
        }
        self
    }

    fn with_some(self, name: &str, value: Option<impl Into<Node>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}

pub(crate) fn document(spec: &Spec) -> Node {
    let title = "Spotify Web API";
    let text = "The Web API of Spotify as it is seen in practice, in the words of the spot SDK. It is \
                not Spotify's own document.";
    let info = map([
        ("title", title.into()),
        ("description", text.into()),
        ("version", env!("CARGO_PKG_VERSION").into()),
    ]);
    let tags = spec.domains.iter().filter(|domain| !domain.op.is_empty()).map(|domain| {
        map([("name", domain.name.as_str().into()), ("description", plain(&domain.doc))])
    });
    map([
        ("openapi", "3.1.0".into()),
        ("info", info),
        ("servers", Node::List(vec![map([("url", "https://api.spotify.com/v1".into())])])),
        ("tags", Node::List(tags.collect())),
        ("paths", paths(spec)),
        ("components", components(spec)),
    ])
}

fn paths(spec: &Spec) -> Node {
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

/// An operation; several calls if they share method and path.
fn operation(spec: &Spec, ops: &[(&Domain, &Op)]) -> Node {
    let Some((domain, op)) = ops.first() else { return map([]) };
    let ops: Vec<&Op> = ops.iter().map(|(_, op)| *op).collect();
    let summary: Vec<&str> = ops.iter().map(|op| op.doc.as_str()).collect();
    let mut words = op.notes.clone();
    let access = match op.access {
        Access::Any => "any",
        Access::Extended => {
            words.push("Closed to applications in Development Mode since 2026-02-11.".to_owned());
            "extended"
        }
        Access::Closed2024 => {
            words.push("Closed to applications registered since 2024-11-27.".to_owned());
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
        // The values of constants are in no enum.
        (Ty::Text, _) if !parameter.values.is_empty() => {
            let values = texts(parameter.values.iter().map(String::as_str));
            // Of a list in a text, one value is all that is ever sent.
            limits(text().with("enum", values))
        }
        // Next to a reference nothing else is read everywhere.
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

/// A schema with words. A reference is wrapped, since nothing next to it is read everywhere.
fn described(schema: Node, doc: &str) -> Node {
    let is_reference =
        matches!(&schema, Node::Map(fields) if fields.iter().any(|(name, _)| name == "$ref"));
    let schema = if is_reference { map([("allOf", Node::List(vec![schema]))]) } else { schema };
    if doc.is_empty() { schema } else { schema.with("description", plain(doc)) }
}

fn responses(spec: &Spec, ops: &[&Op]) -> Node {
    let Some(op) = ops.first() else { return map([]) };
    let error = map([("$ref", "#/components/responses/Error".into())]);
    let empty = |text: &str| map([("description", text.into())]);
    let returns: Vec<Ty> = ops.iter().filter_map(|op| Ty::parse(&op.returns).ok()).collect();
    let out = match returns.as_slice() {
        [] | [Ty::Unit, ..] => map([("2XX", empty("Done. A body means nothing."))]),
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
            map([(status, found)])
                .with_some("204", may_be_missing.then(|| empty("There is nothing to say.")))
        }
    };
    out.with("default", error)
}

/// The words the spec has for a type.
fn spec_words(spec: &Spec, ty: &Ty) -> Option<String> {
    match ty {
        Ty::Named(name) => Some(spec.kind(name)?.doc.clone()),
        Ty::Page(_) | Ty::CursorPage(_) => Some("A page.".to_owned()),
        _ => None,
    }
}

fn components(spec: &Spec) -> Node {
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
    let error = map([("description", "It was refused, or it failed.".into()), ("content", error)]);
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
        fields.push(("type".to_owned(), one.with("description", "What the object is.")));
    }
    for field in &kind.fields {
        let gone = field.gone.as_ref();
        let gone = gone
            .map_or(String::new(), |month| format!(" Missing in Development Mode since {month}."));
        let words = format!("{}{gone}", field.doc);
        fields.push((field.json().to_owned(), described(schema(&field.ty), &words)));
        if let Some(old) = &field.renamed_from {
            let words = format!("The same as `{}`, by its old name.", field.json());
            let old_one = described(schema(&field.ty), &words).with("deprecated", Node::Flag(true));
            fields.push((old.clone(), old_one));
        }
        if field.name == "release_date" {
            let words = "How precise the date is: `year`, `month` or `day`.";
            fields.push(("release_date_precision".to_owned(), text(words)));
        }
        if field.name == "id" && kind.object.is_some() {
            let links = map([
                ("type", "object".into()),
                ("description", "Pages on the web, by the name of the site.".into()),
                ("properties", map([("spotify", text("The page at Spotify."))])),
            ]);
            let more = [
                ("uri", text("The URI.")),
                ("href", text("Where the API has it.")),
                ("external_urls", links),
            ];
            fields.extend(more.map(|(name, value)| (name.to_owned(), value)));
        }
    }
    // A field may take the place of a link: the URI of a track, which may be a local file.
    let mut seen = BTreeSet::new();
    fields.retain(|(name, _)| seen.insert(name.clone()));
    let required: Vec<&str> =
        kind.fields.iter().filter(|field| field.required).map(|field| field.json()).collect();
    map([("type", "object".into()), ("description", plain(&kind.doc))])
        .with_some("required", (!required.is_empty()).then(|| texts(required)))
        .with("properties", Node::Map(fields))
}

fn string_enum(kind: &Enum) -> Node {
    let values = kind.values.iter().map(|value| format!("- `{}`: {}", value.value, value.doc));
    let words = format!(
        "{}\n\n{}\n\nSpotify may add more.",
        kind.doc,
        values.collect::<Vec<_>>().join("\n")
    );
    let values = texts(kind.values.iter().map(|value| value.value.as_str()));
    map([("type", "string".into()), ("description", plain(&words)), ("enum", values)])
}

/// The schemas of types that no spec has.
fn handwritten() -> Vec<(String, Node)> {
    let text = |words: &str| map([("type", "string".into()), ("description", words.into())]);
    let whole = || map([("type", "integer".into())]);
    let link =
        |words: &str| map([("type", texts(["string", "null"])), ("description", words.into())]);
    let mut all: Vec<(&str, Node)> = ty::COPY_IDS
        .iter()
        .map(|name| (*name, text("An id.").with("pattern", "^[0-9A-Za-z]{1,22}$")))
        .collect();
    all.extend(ty::TEXT_IDS.iter().map(|name| (*name, text("An id: any text but the empty one."))));
    all.extend(ty::URI_GROUPS.iter().map(|name| (*name, text("A URI of Spotify."))));
    let cursors = map([
        ("type", "object".into()),
        (
            "properties",
            map([("after", link("The last entry.")), ("before", link("The first entry."))]),
        ),
    ]);
    let page = map([
        ("href", text("The page itself.")),
        ("limit", whole()),
        ("offset", whole()),
        ("total", map([("type", texts(["integer", "null"]))])),
        ("next", link("The page after this one.")),
        ("previous", link("The page before this one.")),
    ]);
    let cursor_page = map([
        ("href", text("The page itself.")),
        ("limit", whole()),
        ("total", map([("type", texts(["integer", "null"]))])),
        ("next", link("The page after this one.")),
        ("cursors", cursors),
    ]);
    let offset = map([
        ("position", whole().with("description", "From 0.")),
        ("uri", text("The item itself.")),
    ]);
    let message = map([
        ("status", whole()),
        ("message", text("What is wrong.")),
        ("reason", text("The same as a name; players and quotas give one.")),
    ]);
    let message = map([("type", "object".into()), ("properties", message)]);
    let items = vec![reference("Track"), reference("Episode")];
    all.extend([
        ("Country", text("A country: two letters of ISO 3166-1.").with("pattern", "^[A-Z]{2}$")),
        ("CountrySet", list_of(reference("Country"))),
        ("CursorPage", map([("type", "object".into()), ("properties", cursor_page)])),
        ("Error", map([("type", "object".into()), ("properties", map([("error", message)]))])),
        ("LocalFile", text("The URI of a file of the user's.")),
        ("Page", map([("type", "object".into()), ("properties", page)])),
        ("PlayableItem", map([("oneOf", Node::List(items))])),
        ("PlaybackOffset", map([("type", "object".into()), ("properties", offset)])),
        ("ReleaseDate", text("A date: a year, a month or a day.")),
        ("Fields", text("Names of fields, with those inside them in parentheses.")),
        ("SearchQuery", text("Words, and filters such as `artist:name`.")),
        ("Uri", text("A URI of Spotify.")),
    ]);
    all.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn schema(ty: &Ty) -> Node {
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

fn list_of(items: Node) -> Node {
    map([("type", "array".into()), ("items", items)])
}

/// A page of entries, each of which is one of the given.
fn page_of(page: &str, mut items: Vec<Node>) -> Node {
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

/// Words of the docs without their links, which lead to Rust.
fn plain(doc: &str) -> Node {
    let mut out = String::new();
    let mut rest = doc;
    while let Some((before, link)) = rest.split_once('[') {
        out.push_str(before);
        let Some((text, behind)) = link.split_once(']') else {
            out.push('[');
            rest = link;
            continue;
        };
        out.push_str(text);
        let target = behind.strip_prefix('(').and_then(|target| target.split_once(')'));
        rest = target.map_or(behind, |(_, behind)| behind);
    }
    out.push_str(rest);
    Node::Text(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_to_rust_become_words() {
        let words = |doc: &str| match plain(doc) {
            Node::Text(text) => text,
            _ => String::new(),
        };
        assert_eq!(words("The page; [`next`](Page::next) leads on."), "The page; `next` leads on.");
        assert_eq!(words("See [`Page`]."), "See `Page`.");
        assert_eq!(words("Nothing [open"), "Nothing [open");
    }
}
