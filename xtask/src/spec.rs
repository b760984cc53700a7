//! The spec as data: the content of `xtask/spec/*.toml`, parsed strictly.
//!
//! Each file describes a domain. An unknown key causes an error with the number of the line, so a
//! misspelt key is never ignored.

use std::{collections::BTreeMap, fmt, fs, path::Path};

use serde::Deserialize;

use crate::ty::{self, Ty};

/// The whole spec. The domains are sorted by name.
pub(crate) struct Spec {
    pub(crate) domains: Vec<Domain>,
}

/// One file of the spec.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Domain {
    /// The name of the spec file and of its generated files, without the extension.
    #[serde(skip)]
    pub(crate) name: String,
    /// The first sentence in the docs of the generated files.
    pub(crate) doc: String,
    #[serde(default)]
    pub(crate) handle: BTreeMap<String, Handle>,
    #[serde(default)]
    pub(crate) op: Map<Op>,
    #[serde(default)]
    pub(crate) r#enum: Map<Enum>,
    #[serde(default)]
    pub(crate) r#type: Map<Type>,
}

/// A TOML table that keeps the order of its keys in the file.
pub(crate) type Map<T> = toml_order::Ordered<T>;

/// A value that groups operations: `client.library()`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Handle {
    /// The name of the handle's type in Rust.
    pub(crate) name: String,
    pub(crate) doc: String,
}

/// A call of the SDK. Two calls can use the same operation of the API: for example, one call
/// replaces the items of a playlist, and another call reorders them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Op {
    /// Spotify's operation id.
    pub(crate) id: String,
    /// Method and path: `GET /artists/{id}/albums`.
    pub(crate) call: String,
    /// Where the method is defined: on `client`, on a handle, or on the request of another
    /// operation.
    pub(crate) on: String,
    /// The name of the method.
    pub(crate) r#as: String,
    /// Names of the call in other clients (spotipy, rspotify). The search of the docs finds the
    /// call by these names.
    #[serde(default)]
    pub(crate) aliases: Vec<String>,
    pub(crate) doc: String,
    /// Further paragraphs of the docs.
    #[serde(default)]
    pub(crate) notes: Vec<String>,
    /// The type of the response. Use `()` for a response without content, and `T?` if the content
    /// may be missing (204).
    pub(crate) returns: String,
    /// The field that the call returns, if the response is an object with only this field.
    #[serde(default)]
    pub(crate) unwrap: Option<String>,
    #[serde(default)]
    pub(crate) scopes: Vec<String>,
    #[serde(default)]
    pub(crate) access: Access,
    /// Whether the operation is idempotent. If the key is missing, the operation is idempotent
    /// unless its method is `POST`.
    #[serde(default)]
    pub(crate) idempotent: Option<bool>,
    #[serde(default)]
    pub(crate) paging: Option<Paging>,
    #[serde(default)]
    pub(crate) chunk: Option<Chunk>,
    #[serde(default)]
    pub(crate) replacement: Option<String>,
    #[serde(default)]
    pub(crate) own_limit: bool,
    #[serde(default)]
    pub(crate) path: Vec<Param>,
    #[serde(default)]
    pub(crate) query: Vec<Param>,
    #[serde(default)]
    pub(crate) body: Vec<Param>,
    /// The file that is sent as the body.
    #[serde(default)]
    pub(crate) upload: Option<Upload>,
    /// Query parameters that have three forms: minimum (`min_`), maximum (`max_`) and target
    /// (`target_`). The `doc` of each parameter is a noun phrase, for example `tempo in beats per
    /// minute`.
    #[serde(default)]
    pub(crate) attributes: Vec<Param>,
    /// Whether the operation has the parameter `market`.
    #[serde(default)]
    pub(crate) market: bool,
    /// A call that starts with `client` and works against `spot-mock`. The docs show this call as
    /// an example. The tests run this call, and its response is recorded as a fixture.
    pub(crate) example: String,
    /// The name of the variable for the result in the example.
    pub(crate) result: String,
    /// Further calls that are recorded as fixtures. The key is the name of the case.
    #[serde(default)]
    pub(crate) cases: BTreeMap<String, String>,
}

impl Op {
    /// Method and path of the request. The path is the path of [`call`](Self::call), but each
    /// parameter with a constant is replaced with the constant.
    pub(crate) fn route(&self) -> String {
        let constants =
            self.path.iter().filter_map(|param| Some((param, param.constant.as_ref()?)));
        constants.fold(self.call.clone(), |call, (param, constant)| {
            call.replace(&format!("{{{}}}", param.name), constant)
        })
    }

    /// Whether the operation is idempotent.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.idempotent.unwrap_or(!self.call.starts_with("POST "))
    }

    /// The parameters that the caller sets, in the order of arguments and setters. The flag is
    /// `true` if the parameter is required. Path parameters are always required.
    pub(crate) fn params(&self) -> impl Iterator<Item = (&Param, bool)> {
        let path = self.path.iter().map(|param| (param, true));
        let others = self.query.iter().chain(&self.body).map(|param| (param, param.required));
        path.chain(others).filter(|(param, _)| param.constant.is_none())
    }
}

#[derive(Clone, Copy, Default, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Access {
    #[default]
    Any,
    Extended,
    #[serde(rename = "closed_2024")]
    Closed2024,
}

#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Paging {
    pub(crate) by: PagingBy,
    /// Largest `limit`.
    pub(crate) max: u8,
    /// Largest `limit` in Extended Quota Mode, if it differs from `max`.
    #[serde(default)]
    pub(crate) extended_max: Option<u8>,
    /// Default of `limit`.
    pub(crate) default: u8,
    #[serde(default)]
    pub(crate) last_offset: Option<u32>,
    /// Query parameter for the cursor. The default is `after`.
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

impl Paging {
    /// Largest `limit` in Extended Quota Mode.
    pub(crate) fn extended_max(&self) -> u8 {
        self.extended_max.unwrap_or(self.max)
    }
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PagingBy {
    Offset,
    Cursor,
    /// Like `Offset`, but one response contains several pages. Handwritten code in `spot-api`
    /// streams these pages.
    Search,
}

/// A list that is sent in several requests if it is long.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chunk {
    /// The parameter that holds the list.
    pub(crate) by: String,
    /// Maximum number of entries per request.
    pub(crate) max: usize,
    pub(crate) join: Join,
    /// The operation that reads a single entry, for applications without access to the batch
    /// operation.
    #[serde(default)]
    pub(crate) single: Option<String>,
}

/// A file as the body of a request.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Upload {
    /// The name of the argument in Rust.
    pub(crate) name: String,
    pub(crate) kind: UploadKind,
    /// Maximum size of the sent body, in bytes.
    pub(crate) max: usize,
    pub(crate) doc: String,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum UploadKind {
    /// A picture, encoded as base64.
    Jpeg,
}

/// How the requests for the parts of a list depend on each other.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Join {
    /// The requests are independent of each other.
    Unit,
    /// The requests return lists, which are concatenated.
    Concat,
    /// Each request inserts its entries after the entries of the previous request, so `position`
    /// grows.
    Position,
    /// Each request sends the snapshot id that the previous request returned.
    Snapshot,
    /// The first request replaces the list, and the other requests append to it. The code is
    /// handwritten in `spot-api`.
    Replace,
}

/// A parameter.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Param {
    /// The name of the parameter in the request.
    pub(crate) name: String,
    /// The name of the parameter in Rust, if it differs from the name in the request.
    #[serde(default)]
    pub(crate) rust: Option<String>,
    #[serde(rename = "type")]
    pub(crate) ty: Ty,
    #[serde(default)]
    pub(crate) required: bool,
    #[serde(default)]
    pub(crate) doc: String,
    /// A constant value that is always sent. The caller cannot set the parameter.
    #[serde(default)]
    pub(crate) constant: Option<String>,
    /// How the value is sent, if it is not sent as a plain value.
    #[serde(default)]
    pub(crate) send: Option<SendAs>,
    /// Minimum of the value; `max` is the maximum.
    #[serde(default)]
    pub(crate) min: Option<i64>,
    #[serde(default)]
    pub(crate) max: Option<i64>,
    /// The value that the API uses if the parameter is missing.
    #[serde(default)]
    pub(crate) default: Option<String>,
    /// Parameters whose values are removed when the caller sets this parameter.
    #[serde(default)]
    pub(crate) excludes: Vec<String>,
}

impl Param {
    pub(crate) fn rust(&self) -> &str {
        self.rust.as_deref().unwrap_or(&self.name)
    }
}

/// Special form of a parameter's value in the request.
#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SendAs {
    /// The value is a list. If the caller does not set the list, all values of the enum are sent.
    All,
    /// The value is sent as a list with one entry.
    List,
    /// A list of URIs is sent as a list of `{"uri": ..}` objects.
    Objects,
    /// The value is a filter of fields. The fields that paging needs are added to the filter.
    Page,
    /// The same time is sent with each id of the chunk, in a list of `{"id": .., "added_at": ..}`
    /// objects.
    Timestamped,
}

/// A string enum.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enum {
    pub(crate) doc: String,
    pub(crate) values: Vec<EnumValue>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EnumValue {
    pub(crate) name: String,
    pub(crate) value: String,
    pub(crate) doc: String,
}

/// An object.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Type {
    pub(crate) doc: String,
    /// The value of the `type` field. Only objects with links have this value in the spec.
    #[serde(default)]
    pub(crate) object: Option<String>,
    pub(crate) fields: Vec<Field>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    /// The name of the field in Rust. The name in JSON is the same unless `json` is given.
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) json: Option<String>,
    /// The former name of the field. Both names are decoded, but only the new name is encoded.
    #[serde(default)]
    pub(crate) renamed_from: Option<String>,
    #[serde(rename = "type")]
    pub(crate) ty: Ty,
    /// Whether an object without this field is invalid.
    #[serde(default)]
    pub(crate) required: bool,
    pub(crate) doc: String,
    /// The month in which Spotify removed the field from Development Mode.
    #[serde(default)]
    pub(crate) gone: Option<String>,
}

impl Field {
    pub(crate) fn json(&self) -> &str {
        self.json.as_deref().unwrap_or(&self.name)
    }
}

/// An error message for the maintainer.
pub type Error = String;

impl Spec {
    /// Reads every `*.toml` in `dir` except `deviations.toml`.
    pub(crate) fn load(dir: &Path) -> Result<Self, Error> {
        let mut files: Vec<_> = fs::read_dir(dir)
            .map_err(|error| format!("{}: {error}", dir.display()))?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
            .filter(|path| path.file_stem().is_some_and(|name| name != "deviations"))
            .collect();
        files.sort();
        let mut domains = Vec::new();
        for file in files {
            let text = fs::read_to_string(&file)
                .map_err(|error| format!("{}: {error}", file.display()))?;
            let mut domain: Domain =
                toml::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
            domain.name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            domains.push(domain);
        }
        let spec = Self { domains };
        spec.check()?;
        Ok(spec)
    }

    pub(crate) fn ops(&self) -> impl Iterator<Item = (&str, &Op)> {
        self.domains.iter().flat_map(|domain| domain.op.iter())
    }

    pub(crate) fn op(&self, name: &str) -> Option<&Op> {
        self.ops().find(|(key, _)| *key == name).map(|(_, op)| op)
    }

    pub(crate) fn types(&self) -> impl Iterator<Item = (&str, &Type)> {
        self.domains.iter().flat_map(|domain| domain.r#type.iter())
    }

    pub(crate) fn kind(&self, name: &str) -> Option<&Type> {
        self.domains.iter().find_map(|domain| domain.r#type.get(name))
    }

    pub(crate) fn string_enum(&self, name: &str) -> Option<&Enum> {
        self.domains.iter().find_map(|domain| domain.r#enum.get(name))
    }

    /// The scope with the given value.
    pub(crate) fn scope(&self, value: &str) -> Option<&EnumValue> {
        self.string_enum("Scope")?.values.iter().find(|scope| scope.value == value)
    }

    /// Checks the rules that the types of the spec cannot express.
    fn check(&self) -> Result<(), Error> {
        for (name, op) in self.ops() {
            let fail = |what: fmt::Arguments<'_>| Err(format!("op.{name}: {what}"));
            let Some((_, path)) = op.call.split_once(' ') else {
                return fail(format_args!("`call` must be a method, a space and a path"));
            };
            let mut unknown = Vec::new();
            let params = op.path.iter().chain(&op.query).chain(&op.body).chain(&op.attributes);
            params.for_each(|param| param.ty.names(&mut unknown));
            Ty::parse(&op.returns)?.names(&mut unknown);
            unknown.retain(|name| !self.knows(name));
            if let Some(name) = unknown.first() {
                return fail(format_args!("there is no type {name}"));
            }
            if let Some(scope) = op.scopes.iter().find(|scope| self.scope(scope).is_none()) {
                return fail(format_args!("there is no scope {scope}"));
            }
            for param in &op.path {
                if !path.contains(&format!("{{{}}}", param.name)) {
                    return fail(format_args!(
                        "`path` describes `{}`, which `call` does not contain",
                        param.name
                    ));
                }
            }
            if path.matches('{').count() != op.path.len() {
                return fail(format_args!("`path` must describe every path parameter of {path}"));
            }
            if let Some(chunk) = &op.chunk
                && !op.query.iter().chain(&op.body).any(|param| param.name == chunk.by)
            {
                return fail(format_args!(
                    "`chunk.by` is `{}`; expected a query or body parameter",
                    chunk.by
                ));
            }
            let single = op.chunk.as_ref().and_then(|chunk| chunk.single.as_deref());
            if single.is_some_and(|single| self.op(single).is_none_or(|op| op.path.len() != 1)) {
                return fail(format_args!(
                    "`chunk.single` must name an operation with one path parameter"
                ));
            }
            let handle_exists = op.on == "client"
                || self.op(&op.on).is_some()
                || self.domains.iter().any(|domain| domain.handle.contains_key(&op.on));
            if !handle_exists {
                return fail(format_args!(
                    "`on` is `{}`; expected `client`, a handle or an operation",
                    op.on
                ));
            }
        }
        for (name, kind) in self.types() {
            let renamed = kind.fields.iter().filter(|field| field.renamed_from.is_some()).count();
            if renamed > 1 || renamed == 1 && kind.fields.iter().any(|field| field.required) {
                return Err(format!(
                    "type.{name}: at most one field may have `renamed_from`; a type with such a \
                     field must not have `required` fields"
                ));
            }
        }
        for (name, field) in
            self.types().flat_map(|(name, kind)| kind.fields.iter().map(move |field| (name, field)))
        {
            let mut unknown = Vec::new();
            field.ty.names(&mut unknown);
            unknown.retain(|name| !self.knows(name));
            if let Some(unknown) = unknown.first() {
                return Err(format!("type.{name}: `{}`: there is no type {unknown}", field.name));
            }
        }
        Ok(())
    }

    /// Whether a type with this name exists, either in the spec or as handwritten code in the
    /// crates.
    pub(crate) fn knows(&self, name: &str) -> bool {
        ty::is_handwritten(name) || self.kind(name).is_some() || self.string_enum(name).is_some()
    }
}

/// TOML tables that keep the order of the file, because the generated code has the same order.
mod toml_order {
    use std::{fmt, marker::PhantomData};

    use serde::{
        Deserialize, Deserializer,
        de::{MapAccess, Visitor},
    };

    pub(crate) struct Ordered<T>(Vec<(String, T)>);

    impl<T> Default for Ordered<T> {
        fn default() -> Self {
            Self(Vec::new())
        }
    }

    impl<T> Ordered<T> {
        pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
            self.0.iter().map(|(name, value)| (name.as_str(), value))
        }

        pub(crate) fn get(&self, name: &str) -> Option<&T> {
            self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.0.is_empty()
        }
    }

    impl<'de, T: Deserialize<'de>> Deserialize<'de> for Ordered<T> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Tables<T>(PhantomData<T>);
            impl<'de, T: Deserialize<'de>> Visitor<'de> for Tables<T> {
                type Value = Ordered<T>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a table of tables")
                }
                fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                    let mut entries = Vec::new();
                    while let Some(entry) = map.next_entry()? {
                        entries.push(entry);
                    }
                    Ok(Ordered(entries))
                }
            }
            deserializer.deserialize_map(Tables(PhantomData))
        }
    }
}
