//! Shadow structs and serializers of the objects of `spot-model`.
//!
//! The generated code is in separate files, so that the source file of an object shows only its
//! fields.

use std::{collections::BTreeSet, path::PathBuf};

use crate::{
    codegen::{import, preamble},
    spec::{Domain, Field, Spec, Type},
    ty::Ty,
};

/// The adapters of `serde_with` that fields use.
const FOREIGN: &[&str] = &["As", "DefaultOnNull", "Same"];

/// The adapters of `spot-model` that fields use.
const LENIENT: &[&str] = &[
    "Date",
    "Int",
    "LenientId",
    "LocalOnly",
    "Millis",
    "NonNull",
    "Secs",
    "Timestamp",
    "UnixMillis",
];

pub(super) fn files(spec: &Spec) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut modules = String::new();
    for domain in spec.domains.iter().filter(|domain| !domain.r#type.is_empty()) {
        let name = &domain.name;
        let Some(text) = file(domain) else { continue };
        modules.push_str(&format!("pub(super) mod {name};\n"));
        files.push((format!("crates/spot-model/src/generated/wire/{name}.rs").into(), text));
    }
    modules.push_str("pub(crate) mod playable;\n");
    files.push(("crates/spot-model/src/generated/wire/playable.rs".into(), playable(spec)));
    let root =
        format!("{}//! Decoding and encoding of the objects.\n\n{modules}", preamble("*.toml"));
    files.push(("crates/spot-model/src/generated/wire/mod.rs".into(), root));
    files
}

fn file(domain: &Domain) -> Option<String> {
    let mut body = String::new();
    for (name, kind) in domain.r#type.iter() {
        body.push_str(&format!("\n{}\n", wire(name, kind)));
        body.push_str(&format!("{}\n{}", reader(name, kind), writer(name, kind)));
    }
    let mut out = preamble(&format!("{}.toml", domain.name));
    out.push_str(&imports(&body, domain, Vec::new()));
    out.push_str(&body);
    (!body.is_empty()).then_some(out)
}

/// The `use` lines of the generated code for the types of a domain. The names in `more` are also
/// imported from the crate.
pub(super) fn imports(body: &str, domain: &Domain, more: Vec<String>) -> String {
    let fields = || domain.r#type.iter().flat_map(|(_, kind)| &kind.fields);
    // Types that only doc comments mention are not imported.
    let code = body.lines().filter(|line| !line.trim_start().starts_with("//"));
    let words: BTreeSet<&str> =
        code.flat_map(|line| line.split(|c: char| !c.is_ascii_alphanumeric())).collect();
    let used = |word: &&str| words.contains(word);
    let mut names = Vec::new();
    fields().for_each(|field| field.ty.names(&mut names));
    names.extend(domain.r#type.iter().map(|(name, _)| name.to_owned()));
    names.retain(|name| words.contains(name.as_str()));
    names.retain(|name| !body.contains(&format!("pub struct {name} ")));
    names.retain(|name| !body.contains(&format!("pub enum {name} ")));
    names.extend(more);
    let nested = |module: &str, names: &[&str]| {
        let names: Vec<&str> = names.iter().copied().filter(used).collect();
        (!names.is_empty()).then(|| format!("{module}::{{{}}}", names.join(", ")))
    };
    names.extend(nested("lenient", LENIENT));
    if body.contains("object::") {
        names.extend(nested("object", &["self", "ObjectWriter"]));
    }
    if body.contains("renamed_field::") {
        names.push("renamed_field::{self, Names}".to_owned());
    }
    let mut out = String::new();
    if words.contains("Duration") {
        out.push_str("use std::time::Duration;\n\n");
    }
    if words.contains("DateTime") {
        out.push_str("use chrono::{DateTime, Utc};\n");
    }
    let serde = ["Deserialize", "Deserializer", "Serialize", "Serializer"].into_iter().filter(used);
    let foreign = FOREIGN.iter().copied().filter(used);
    let error = body.contains("D::Error::").then(|| "de::Error".to_owned());
    out.push_str(&import("serde", serde.map(str::to_owned).chain(error)));
    out.push_str(&import("serde_with", foreign.map(str::to_owned)));
    if !out.is_empty() && !out.ends_with("\n\n") {
        out.push('\n');
    }
    out + &import("crate", names)
}

/// Whether serde can decode directly into the object, because no field is required, renamed or
/// derived.
fn has_plain_fields(kind: &Type) -> bool {
    !is_fallible(kind) && linked_id(kind).is_none()
}

/// Whether serde can also encode the object directly, because the object has no `type`, no links
/// and no date with a precision.
fn is_plain(kind: &Type) -> bool {
    let has_date = kind.fields.iter().any(|field| field.name == "release_date");
    has_plain_fields(kind) && kind.object.is_none() && !has_date
}

/// The shadow struct, in which every field may be missing. If the object has plain fields, serde
/// takes only the attributes from the shadow struct, and decodes directly into the object. The
/// shadow struct omits a renamed field, because `renamed_field` decodes the field.
fn wire(name: &str, kind: &Type) -> String {
    let serialize = if is_plain(kind) { ", Serialize" } else { "" };
    let mut out = format!("#[derive(Deserialize{serialize})]\n");
    if has_plain_fields(kind) {
        out.push_str(&format!("#[serde(remote = \"{name}\")]\n"));
    }
    out.push_str(&format!("struct {name}Wire {{\n"));
    for field in kind.fields.iter().filter(|field| field.renamed_from.is_none()) {
        let is_left_out = is_plain(kind) && field.ty.is_optional();
        let skip = if is_left_out { ", skip_serializing_if = \"Option::is_none\"" } else { "" };
        out.push_str(&wire_field(field, skip));
    }
    if let Some(id) = linked_id(kind) {
        // In filtered responses and old lists, an object may have links but no id.
        for link in ["uri", "href"] {
            if kind.fields.iter().any(|field| field.json() == link) {
                continue;
            }
            out.push_str(&format!(
                "    #[serde(default, with = \"As::<LenientId>\")]\n    {link}: Option<{id}>,\n"
            ));
        }
    }
    out.push_str("}\n");
    out
}

/// A field of a shadow struct, with its serde attributes.
fn wire_field(field: &Field, skip: &str) -> String {
    let ty = held(field);
    format!("    #[serde({}{skip})]\n    {}: {},\n", attributes(field), field.name, ty.rust())
}

/// The serde attributes of a field in the shadow struct.
fn attributes(field: &Field) -> String {
    let ty = held(field);
    let reader = ty.reader().map_or(String::new(), |reader| format!(", with = \"As::<{reader}>\""));
    let rename = match field.json() {
        json if json == field.name.trim_start_matches("r#") => String::new(),
        json => format!(", rename = \"{json}\""),
    };
    format!("default{rename}{reader}")
}

/// The field that was renamed, and its old name.
fn renamed(kind: &Type) -> Option<(&Field, &str)> {
    kind.fields.iter().find_map(|field| Some((field, field.renamed_from.as_deref()?)))
}

/// Whether decoding can fail because a field of the object is required or renamed.
fn is_fallible(kind: &Type) -> bool {
    renamed(kind).is_some() || kind.fields.iter().any(|field| field.required)
}

/// The type of a field in the shadow struct, in which the field may be missing.
fn held(field: &Field) -> Ty {
    if field.required { Ty::Optional(Box::new(field.ty.clone())) } else { field.ty.clone() }
}

/// The type of the id, if the object has links that contain the id.
fn linked_id(kind: &Type) -> Option<&str> {
    kind.object.as_ref()?;
    let id = kind.fields.iter().find(|field| field.name == "id")?;
    id.ty.is_copy_id().then(|| id.ty.id()).flatten()
}

/// The code that makes the fields of an object from the fields of its shadow struct.
fn values(kind: &Type) -> String {
    let linked = linked_id(kind).is_some();
    let mut fields = String::new();
    for field in &kind.fields {
        if field.renamed_from.is_some() {
            fields.push_str(&format!("{},\n", field.name));
            continue;
        }
        let mut value = format!("wire.{}", field.name);
        if linked && field.name == "id" {
            let has_uri_field = kind.fields.iter().any(|field| field.json() == "uri");
            let uri = if has_uri_field { "" } else { ".or(wire.uri)" };
            value = format!("{value}{uri}.or(wire.href)");
        }
        if field.required {
            value =
                format!("{value}.ok_or_else(|| D::Error::missing_field(\"{}\"))?", field.json());
        }
        fields.push_str(&format!("{}: {value},\n", field.name));
    }
    fields
}

/// The shadow struct of a track or an episode, with the fields of tracks and the fields of
/// episodes. In the JSON, the field `type` comes last. Therefore all fields are decoded first, and
/// then the struct is converted to a track or an episode.
fn playable(spec: &Spec) -> String {
    let kinds =
        || ["Track", "Episode"].into_iter().filter_map(|name| Some((name, spec.kind(name)?)));
    let special = |field: &&Field| ["id", "uri"].contains(&field.json());
    let mut fields = String::new();
    let mut known: Vec<&Field> = Vec::new();
    let ours = ["Track", "Episode", "id::AnyId", "playable_fields::{AnyUri, PlayableKind}"];
    let mut names: Vec<String> = ours.map(str::to_owned).to_vec();
    for field in kinds().flat_map(|(_, kind)| &kind.fields).filter(|field| !special(field)) {
        if known.iter().any(|known| known.json() == field.json()) {
            continue;
        }
        known.push(field);
        field.ty.names(&mut names);
        fields.push_str(&wire_field(field, ""));
    }
    let mut conversions = String::new();
    for (name, kind) in kinds() {
        let function = name.to_lowercase();
        // If the object has its own field `uri`, the generated code does not derive a missing id
        // from the URI.
        let has_uri_field = kind.fields.iter().any(|field| field.json() == "uri");
        let from_uri = format!(".or_else(|| self.uri.as_ref()?.id()?.{function}())");
        let from_uri = if has_uri_field { "" } else { &from_uri };
        let mut values = String::new();
        for field in &kind.fields {
            let value = match field.json() {
                "id" => format!(
                    "self.id.and_then(AnyId::{function}){from_uri}.or_else(|| self.href?.{function}())"
                ),
                "uri" => "self.uri.and_then(AnyUri::local)".to_owned(),
                _ => format!("self.{}", field.name),
            };
            values.push_str(&format!("            {}: {value},\n", field.name));
        }
        conversions.push_str(&format!(
            "\n    pub(crate) fn into_{function}(self) -> {name} {{\n        {name} {{\n{values}        }}\n    }}\n"
        ));
    }
    let body = format!(
        "\n/// The fields of tracks and episodes. While the decoder reads most fields, it does not know the\n\
         /// kind yet, because `type` comes after most other fields.\n\
         #[derive(Deserialize)]\npub(crate) struct PlayableWire {{\n    \
         #[serde(default, rename = \"type\")]\n    pub(crate) kind: Option<PlayableKind>,\n    \
         #[serde(default, with = \"As::<LenientId>\")]\n    id: Option<AnyId>,\n    \
         #[serde(default, with = \"As::<LenientId>\")]\n    uri: Option<AnyUri>,\n    \
         #[serde(default, with = \"As::<LenientId>\")]\n    href: Option<AnyId>,\n{fields}}}\n\n\
         impl PlayableWire {{{}}}\n",
        conversions.trim_start_matches('\n').replacen("    pub", "\n    pub", 1)
    );
    let domain = Domain::default();
    let more = names.into_iter().filter(|name| name != "LocalFile").collect();
    preamble("*.toml") + &imports(&body, &domain, more) + &body
}

/// The `Deserialize` impl of an object. In a binary format, an object is stored as JSON.
fn reader(name: &str, kind: &Type) -> String {
    let renamed = renamed(kind).map(|(field, old)| {
        let (own, new, fields) = (&field.name, field.json(), values(kind));
        // `Spec::check` ensures that an object with a renamed field has no required field.
        format!(
            "read(deserializer, |deserializer| {{\n            \
             let names = Names {{ new: \"{new}\", old: \"{old}\" }};\n            \
             let (wire, {own}): ({name}Wire, _) = renamed_field::deserialize(deserializer, names)?;\n            \
             Ok(Self {{\n{fields}            }})\n        }})"
        )
    });
    let read = match renamed {
        Some(read) => read,
        None if has_plain_fields(kind) => format!("read(deserializer, {name}Wire::deserialize)"),
        None => format!(
            "read(deserializer, |deserializer| {{\n            \
             let wire = {name}Wire::deserialize(deserializer)?;\n            \
             Ok(Self {{\n{}            }})\n        }})",
            values(kind)
        ),
    };
    format!(
        "impl<'de> Deserialize<'de> for {name} {{\n    \
         fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {{\n        \
         object::{read}\n    }}\n}}\n"
    )
}

fn writer(name: &str, kind: &Type) -> String {
    let serialize = |encode: &str| {
        format!(
            "impl Serialize for {name} {{\n    \
             fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {{\n        \
             object::write(self, serializer, {encode})\n    }}\n}}\n"
        )
    };
    if is_plain(kind) {
        return serialize(&format!("{name}Wire::serialize"));
    }
    let mut lines = String::new();
    for field in &kind.fields {
        let json = field.json();
        let access = format!("this.{}", field.name);
        if field.name == "id" && kind.object.is_some() {
            lines.push_str(&format!("        out.id(&{access})?;\n"));
            continue;
        }
        let line = match (&field.ty, field.ty.is_optional()) {
            (Ty::Optional(inner), _) => match inner.element() {
                Some(element) if needs_adapter(&element) => {
                    format!("out.optional_with::<{element}, _>(\"{json}\", &{access})?;")
                }
                _ => format!("out.optional(\"{json}\", &{access})?;"),
            },
            (ty, _) => match ty.element() {
                Some(element) if needs_adapter(&element) => {
                    format!("out.with::<{element}, _>(\"{json}\", &{access})?;")
                }
                _ => format!("out.field(\"{json}\", &{access})?;"),
            },
        };
        // If there is an id, the URI has already been written together with the id.
        if json == "uri" && linked_id(kind).is_some() {
            lines.push_str(&format!(
                "        if this.id.is_none() {{\n            {line}\n        }}\n"
            ));
        } else {
            lines.push_str(&format!("        {line}\n"));
        }
        if field.name == "release_date" {
            lines.push_str(
                "        out.optional(\"release_date_precision\", &this.release_date.map(|date| date.precision()))?;\n",
            );
        }
    }
    let start = match &kind.object {
        Some(object) => format!("ObjectWriter::new(serializer, \"{object}\")"),
        None => "ObjectWriter::untyped(serializer)".to_owned(),
    };
    serialize(&format!(
        "|this, serializer| {{\n        let mut out = {start}?;\n{lines}        out.end()\n        }}"
    ))
}

/// Whether the JSON form differs from the default encoding of the Rust type.
fn needs_adapter(element: &str) -> bool {
    ["Millis", "Secs", "UnixMillis", "Timestamp"].iter().any(|name| element.contains(name))
}
