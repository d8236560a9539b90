//! House rules of both packages that the compiler does not hold: which folder may import which, no circles between
//! files, who prints, who reads `/proc` and `/sys`, who touches the engine. Comments, attributes and the modules of unit
//! tests do not count.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};

/// Folders of the workbench, bottom up; those of one row do not import each other.
const LAYERS: [&[&str]; 12] = [
    &["units", "measure", "power_cut"],
    &["host", "actor"],
    &["workload"],
    &["trace", "catalogue"],
    &["load"],
    &["process"],
    &["report"],
    &["run", "plan", "certify"],
    &["compare", "fleet"],
    &["history"],
    &["render"],
    &["cli"],
];
/// Modules of the library, bottom up.
const LIBRARY_LAYERS: [&[&str]; 3] = [&["files", "machine"], &["trace"], &["backend"]];

/// `crate::plan::search` is `["plan", "search"]`.
type ModulePath = Vec<String>;

/// The source files of one package.
struct Package {
    /// Root of its sources, from the root of the repository.
    root: &'static str,
    files: BTreeMap<ModulePath, Source>,
}

#[derive(Default)]
struct Source {
    /// From the root of the package's sources: `plan/search.rs`.
    file: String,
    text: String,
    /// Paths of imports and expressions, as far as they begin in this package, absolute.
    paths: Vec<ModulePath>,
    /// Names this module re-exports, and the path of each.
    re_exports: BTreeMap<String, ModulePath>,
    /// First segments of paths into other crates, and names of macros.
    words: BTreeSet<String>,
    /// String literals.
    literals: Vec<String>,
}

impl Package {
    fn read(root: &'static str) -> Self {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(root);
        let mut package = Self { root, files: BTreeMap::new() };
        package.collect(&directory, &directory);
        let modules: BTreeSet<ModulePath> = package.files.keys().cloned().collect();
        for (path, source) in &mut package.files {
            let tokens: TokenStream = source.text.parse().unwrap_or_else(|error| panic!("{}: {error}", source.file));
            Scan { modules: &modules, module: path.clone(), source }.stream(tokens);
        }
        package
    }

    fn collect(&mut self, root: &Path, directory: &Path) {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                self.collect(root, &path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let file = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                let mut module: ModulePath = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
                if ["mod", "lib"].contains(&module.last().unwrap().as_str()) {
                    module.pop();
                }
                let text = fs::read_to_string(&path).unwrap();
                self.files.insert(module, Source { file, text, ..Source::default() });
            }
        }
    }

    /// The module that defines what a path names, through re-exports.
    fn defining(&self, path: &[String]) -> ModulePath {
        let mut module = ModulePath::new();
        for (place, segment) in path.iter().enumerate() {
            let child = [module.as_slice(), std::slice::from_ref(segment)].concat();
            if self.files.contains_key(&child) {
                module = child;
            } else if let Some(target) = self.files[&module].re_exports.get(segment) {
                let rest = [target.as_slice(), &path[place + 1..]].concat();
                return if target == path { module } else { self.defining(&rest) };
            } else {
                break;
            }
        }
        module
    }

    /// Which files each file imports from.
    fn imports(&self) -> BTreeMap<&ModulePath, BTreeSet<ModulePath>> {
        let of = |(module, source): (_, &Source)| {
            let mut imported: BTreeSet<_> = source.paths.iter().map(|path| self.defining(path)).collect();
            imported.remove(module);
            (module, imported)
        };
        self.files.iter().map(of).collect()
    }

    /// What imports from a layer that is not below its own.
    fn climbs(&self, layers: &[&[&str]]) -> Vec<String> {
        let height = |module: &ModulePath| {
            let folder = module.first()?;
            layers.iter().position(|row| row.contains(&folder.as_str()))
        };
        let mut climbs = Vec::new();
        for (module, imported) in self.imports() {
            let Some(own) = height(module) else { continue };
            let above = imported.iter().filter(|other| other.first() != module.first());
            let above = above.filter(|other| height(other).is_none_or(|other| other >= own));
            climbs
                .extend(above.map(|other| format!("{}/{}: {}", self.root, self.files[module].file, other.join("::"))));
        }
        climbs
    }

    /// Files that import each other, directly or by way of others: each with one such way back to itself.
    fn circles(&self) -> Vec<String> {
        let imports = self.imports();
        let mut circles = BTreeSet::new();
        for &start in imports.keys() {
            let mut ways = vec![vec![start.clone()]];
            let mut seen = BTreeSet::new();
            while let Some(way) = ways.pop() {
                for next in &imports[way.last().unwrap()] {
                    if next == start {
                        let mut names: Vec<_> = way.iter().map(|module| module.join("::")).collect();
                        names.sort();
                        circles.insert(names.join(" <-> "));
                    } else if seen.insert(next.clone()) {
                        ways.push([way.as_slice(), std::slice::from_ref(next)].concat());
                    }
                }
            }
        }
        circles.into_iter().collect()
    }

    /// Files outside of these places in which `found` finds something.
    fn outside(&self, places: &[&str], found: impl Fn(&Source) -> Option<String>) -> Vec<String> {
        let is_in = |file: &str| places.iter().any(|place| file == *place || file.starts_with(&format!("{place}/")));
        let others = self.files.values().filter(|source| !is_in(&source.file));
        others.filter_map(|source| Some(format!("{}/{}: {}", self.root, source.file, found(source)?))).collect()
    }
}

/// Reads the tokens of one module.
struct Scan<'a> {
    modules: &'a BTreeSet<ModulePath>,
    module: ModulePath,
    source: &'a mut Source,
}

impl Scan<'_> {
    fn stream(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let (mut at, mut is_public) = (0, false);
        while at < tokens.len() {
            let rest = &tokens[at..];
            at += match rest {
                [TokenTree::Punct(hash), TokenTree::Group(_), ..] if hash.as_char() == '#' => 2,
                [TokenTree::Ident(module), TokenTree::Ident(name), TokenTree::Group(body), ..] if *module == "mod" => {
                    self.inner_module(&name.to_string(), body);
                    3
                }
                [TokenTree::Ident(word), tree @ ..] if *word == "use" => 1 + self.import(tree, is_public),
                [TokenTree::Ident(word), TokenTree::Punct(bang), ..] if bang.as_char() == '!' => {
                    self.source.words.insert(format!("{word}!"));
                    2
                }
                [TokenTree::Ident(_), TokenTree::Punct(colon), TokenTree::Punct(_), ..] if colon.as_char() == ':' => {
                    self.expression(rest)
                }
                [TokenTree::Group(group), ..] => {
                    self.stream(group.stream());
                    1
                }
                [TokenTree::Literal(literal), ..] => {
                    self.source.literals.push(literal.to_string());
                    1
                }
                [TokenTree::Ident(word), ..] => {
                    is_public = *word == "pub" || is_public;
                    self.source.words.insert(word.to_string());
                    1
                }
                _ => {
                    is_public = false;
                    1
                }
            };
        }
    }

    /// Modules of unit tests may import what they like.
    fn inner_module(&mut self, name: &str, body: &Group) {
        if name != "tests" {
            self.module.push(name.to_owned());
            self.stream(body.stream());
            self.module.pop();
        }
    }

    /// A use declaration up to its semicolon.
    fn import(&mut self, tree: &[TokenTree], is_public: bool) -> usize {
        let length = tree.iter().position(|token| matches!(token, TokenTree::Punct(end) if end.as_char() == ';'));
        let length = length.unwrap_or(tree.len());
        for (path, name) in leaves(&tree[..length], &[]) {
            let Some(absolute) = self.absolute(&path) else { continue };
            if is_public {
                self.source.re_exports.insert(name, absolute);
            } else {
                self.source.paths.push(absolute);
            }
        }
        length
    }

    /// A path in an expression or a type; what it takes of the tokens.
    fn expression(&mut self, tokens: &[TokenTree]) -> usize {
        let (mut path, mut at) = (Vec::new(), 0);
        while let Some(TokenTree::Ident(segment)) = tokens.get(at) {
            path.push(segment.to_string());
            let colons = tokens[at + 1..]
                .iter()
                .take_while(|token| matches!(token, TokenTree::Punct(colon) if colon.as_char() == ':'));
            match colons.count() {
                2 => at += 3,
                _ => break,
            }
        }
        match self.absolute(&path) {
            Some(absolute) => self.source.paths.push(absolute),
            None => drop(self.source.words.insert(path.join("::"))),
        }
        at + 1
    }

    /// From the root of the package; `None` and a word noted for what lies in another crate.
    fn absolute(&mut self, path: &[String]) -> Option<ModulePath> {
        let child = |segment: &String| [self.module.as_slice(), std::slice::from_ref(segment)].concat();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([self.module.as_slice(), &path[1..]].concat()),
            "super" => {
                let up = path.iter().take_while(|segment| *segment == "super").count();
                Some([&self.module[..self.module.len() - up], &path[up..]].concat())
            }
            _ if self.modules.contains(&child(&path[0])) => Some([self.module.as_slice(), path].concat()),
            other => {
                self.source.words.insert(other.to_owned());
                None
            }
        }
    }
}

/// The paths of a use tree, each with the name it gets.
fn leaves(tree: &[TokenTree], prefix: &[String]) -> Vec<(ModulePath, String)> {
    let (mut path, mut name) = (prefix.to_vec(), None);
    let mut tokens = tree.iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if *word == "as" => name = tokens.next().map(ToString::to_string),
            TokenTree::Ident(word) if *word == "self" && !path.is_empty() => {}
            TokenTree::Ident(word) => path.push(word.to_string()),
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                let is_comma = |token: &TokenTree| matches!(token, TokenTree::Punct(comma) if comma.as_char() == ',');
                return inner
                    .split(is_comma)
                    .filter(|part| !part.is_empty())
                    .flat_map(|part| leaves(part, &path))
                    .collect();
            }
            _ => {}
        }
    }
    let last = path.last().cloned().unwrap_or_default();
    vec![(path, name.unwrap_or(last))]
}

fn library() -> Package {
    Package::read("src")
}

fn workbench() -> Package {
    Package::read("workbench/src")
}

/// Those of the words that a source uses.
fn uses(words: &'static [&'static str]) -> impl Fn(&Source) -> Option<String> {
    move |source| {
        let is_used =
            |word: &&&str| source.words.iter().any(|used| used == *word || used.starts_with(&format!("{word}::")));
        words.iter().find(is_used).map(|&word| word.to_owned())
    }
}

#[test]
fn a_folder_imports_only_folders_below_it() {
    let (climbs, of_library) = (workbench().climbs(&LAYERS), library().climbs(&LIBRARY_LAYERS));
    assert!(climbs.is_empty() && of_library.is_empty(), "{climbs:#?} {of_library:#?}");
}

#[test]
fn every_folder_has_its_place_in_the_order() {
    for (package, layers) in [(workbench(), LAYERS.concat()), (library(), LIBRARY_LAYERS.concat())] {
        let folders: BTreeSet<_> =
            package.files.keys().filter_map(|module| module.first()).map(String::as_str).collect();
        let expected: BTreeSet<_> = layers.into_iter().chain((package.root != "src").then_some("main")).collect();
        assert_eq!(folders, expected, "{}", package.root);
    }
}

#[test]
fn files_do_not_import_each_other_in_a_circle() {
    let circles = [library().circles(), workbench().circles()].concat();
    assert!(circles.is_empty(), "{circles:#?}");
}

#[test]
fn the_engine_is_touched_by_the_backend_alone() {
    let outside = library().outside(&["backend", "lib.rs"], uses(&["rocksdb"]));
    assert!(outside.is_empty(), "{outside:#?}");
}

#[test]
fn only_the_command_line_prints_and_exits() {
    let words: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!", "clap"];
    let outside = [workbench().outside(&["cli", "main.rs"], uses(words)), library().outside(&[], uses(words))].concat();
    assert!(outside.is_empty(), "{outside:#?}");
}

#[test]
fn only_host_and_measure_read_proc_and_sys() {
    let reads = |source: &Source| {
        let is_system =
            |text: &&String| ["/proc/", "/sys/", "\"/proc\"", "\"/sys\""].iter().any(|path| text.contains(path));
        source.literals.iter().find(is_system).cloned()
    };
    let outside =
        [workbench().outside(&["host", "measure"], reads), library().outside(&["machine.rs"], reads)].concat();
    assert!(outside.is_empty(), "{outside:#?}");
}

#[test]
fn every_module_says_what_it_is_for() {
    for package in [library(), workbench()] {
        let silent = package.outside(&[], |source| (!source.text.starts_with("//! ")).then(|| "no `//!`".to_owned()));
        assert!(silent.is_empty(), "{silent:#?}");
    }
}

#[test]
fn the_architecture_page_has_every_file_of_the_backend() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../ARCHITECTURE.md")).unwrap();
    let library = library();
    let files = library.files.keys().filter_map(|module| match module.as_slice() {
        [folder, file] if folder == "backend" => Some(format!("`{file}.rs`")),
        _ => None,
    });
    let absent: Vec<_> = files.filter(|file| !page.contains(file)).collect();
    assert!(absent.is_empty(), "{absent:#?}");
}

#[test]
fn no_file_is_a_drawer_for_odds_and_ends() {
    for package in [library(), workbench()] {
        for module in package.files.keys().filter_map(|module| module.last()) {
            let drawers = ["utils", "util", "misc", "helpers", "helper", "common"];
            assert!(!drawers.contains(&module.as_str()), "{module} says nothing of what is in it");
        }
    }
}

#[test]
fn imports_are_seen_however_they_are_written() {
    let modules: BTreeSet<ModulePath> = [&["a"][..], &["a", "b"], &["c"]]
        .iter()
        .map(|path| path.iter().map(|&part| part.to_owned()).collect())
        .collect();
    let text = "use crate::c::{D, e::{F as G, self}}; use super::super::c; // crate::no\n\
                fn f() -> super::Y { crate::c::g(\"/proc/stat\"); println!(); rocksdb::DB::open() }";
    let mut source = Source::default();
    let inner = vec!["a".to_owned(), "b".to_owned()];
    Scan { modules: &modules, module: inner, source: &mut source }.stream(text.parse().unwrap());
    let found: Vec<String> = source.paths.iter().map(|path| path.join("::")).collect();
    assert_eq!(found, ["c::D", "c::e::F", "c::e", "c", "a::Y", "c::g"]);
    assert!(source.words.contains("println!") && source.words.contains("rocksdb"));
    assert_eq!(source.literals, ["\"/proc/stat\""]);
    let mut source = Source::default();
    let text = "pub use b::X;";
    Scan { modules: &modules, module: vec!["a".to_owned()], source: &mut source }.stream(text.parse().unwrap());
    assert_eq!(source.re_exports["X"].join("::"), "a::b::X");
}
