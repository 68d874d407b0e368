#include "module_loader.h"

#include <ada.h>

#include <algorithm>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <variant>

#include "code_generation.h"
#include "v8_strings.h"

namespace isolated {
namespace {

using v8::Context;
using v8::FixedArray;
using v8::Local;
using v8::MaybeLocal;
using v8::Module;
using v8::String;
using v8::Value;

void Throw(v8::Isolate* isolate, Local<Value> (*make)(Local<String>, Local<Value>), std::string_view message) {
  constexpr size_t kLongest = 16 * 1024;  // specifiers may be longer than strings can be
  Local<String> text;
  if (ToV8(isolate, message.substr(0, kLongest)).ToLocal(&text)) isolate->ThrowException(make(text, {}));
}

std::string_view WithoutBom(std::string_view utf8) { return utf8.starts_with("\xEF\xBB\xBF") ? utf8.substr(3) : utf8; }

v8::ScriptOrigin Origin(v8::Isolate* isolate, const std::string& path, bool is_module) {
  return v8::ScriptOrigin(ToV8(isolate, path).FromMaybe(Local<String>()), 0, 0, false, -1, {}, false, false, is_module);
}

bool IsRelativeOrFile(std::string_view specifier) {
  return specifier.starts_with("./") || specifier.starts_with("../") || specifier.starts_with("/") ||
         specifier == "." || specifier == ".." || specifier.starts_with("file:");
}

// The line with the given number, from 1, cut to what fits a terminal.
std::string LineOf(std::string_view text, int number) {
  constexpr size_t kLongest = 400;
  for (int line = 1; line < number; ++line) {
    const size_t end = text.find('\n');
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
  text = text.substr(0, text.find('\n'));
  size_t length = std::min(text.size(), kLongest);
  while (length > 0 && length < text.size() && (text[length] & 0xC0) == 0x80) --length;  // whole characters
  return std::string(text.substr(0, length));
}

// The parts of a dynamic import's data.
enum ImportPart : uint32_t { kResolver, kEntry };

Local<Value> PartOf(Local<Context> context, Local<v8::Array> import, ImportPart part) {
  return import->Get(context, part).ToLocalChecked();  // an element of our own array
}

}  // namespace

ModuleLoader::ModuleLoader(v8::Isolate* isolate, Parts parts)
    : isolate_(isolate), parts_(std::move(parts)), folder_(*parts_.folder) {
  isolate_->SetData(kDataSlot, this);
  isolate_->SetHostImportModuleDynamicallyCallback(OnDynamicImport);
  isolate_->SetHostInitializeImportMetaObjectCallback(OnImportMeta);
}

ModuleLoader::~ModuleLoader() { isolate_->SetData(kDataSlot, nullptr); }

ModuleLoader* ModuleLoader::From(v8::Isolate* isolate) {
  return static_cast<ModuleLoader*>(isolate->GetData(kDataSlot));
}

Local<Value> ModuleLoader::main_namespace() const {
  if (!main_) return v8::Undefined(isolate_);
  return main_->module.Get(isolate_)->GetModuleNamespace();
}

MaybeLocal<Value> ModuleLoader::RunMain(Local<Context> context, const std::string& main_path) {
  const std::optional<FileContents> read =
      Read(main_path, "Cannot load the main module '" + main_path + "' from '" + folder_.path() + "': ");
  if (!read) return {};
  const FileContents& file = *read;
  if (!main_path.ends_with(".mjs")) return RunScriptOrModule(context, file, !main_path.ends_with(".cjs"));
  Local<Module> module;
  if (!Compile(file).ToLocal(&module)) return {};
  return RunModule(context, Add(ada::href_from_file(file.path), file, module, {}));
}

// Reads a file and adds it to what the program is known by, before anything is done with it: a file that V8's parser
// cannot survive is known by then, too.
std::optional<FileContents> ModuleLoader::Read(const std::string& relative, const std::string& failure) {
  auto read = folder_.Read(relative);
  if (const ReadError* error = std::get_if<ReadError>(&read)) {
    Throw(isolate_, v8::Exception::Error, failure + std::string(Describe(*error)));
    return std::nullopt;
  }
  FileContents& file = std::get<FileContents>(read);
  if (!parts_.sources.closed()) {
    parts_.sources.Add(std::string_view(file.path).substr(std::min(file.path.size(), folder_.path().size())),
                       file.bytes);
    if (!parts_.blocked.empty() && parts_.blocked.find(parts_.sources.hex() + "\n") != std::string::npos) {
      blocked_ = true;
      Throw(isolate_, v8::Exception::Error, failure + "its sources are blocked");
      return std::nullopt;
    }
  }
  return std::move(file);
}

// A file is an ES module if it only parses as one. If it parses as neither, the parse that got further knows better.
MaybeLocal<Value> ModuleLoader::RunScriptOrModule(Local<Context> context, const FileContents& file,
                                                  bool may_be_module) {
  v8::TryCatch as_script(isolate_);
  Local<String> text;
  if (!ToV8(isolate_, WithoutBom(file.bytes)).ToLocal(&text)) {
    Throw(isolate_, v8::Exception::RangeError, "'" + file.path + "' is too large");
    as_script.ReThrow();
    return {};
  }
  v8::ScriptCompiler::Source source(text, Origin(isolate_, file.path, false));
  Local<v8::Script> script;
  if (v8::ScriptCompiler::Compile(context, &source).ToLocal(&script)) {
    Local<Value> ignored;
    parts_.sources.Close();
    if (script->Run(context).ToLocal(&ignored)) return v8::Undefined(isolate_);
    as_script.ReThrow();
    return {};
  }
  if (!may_be_module || as_script.HasTerminated()) {
    as_script.ReThrow();
    return {};
  }
  Local<Module> module;
  {
    v8::TryCatch as_module(isolate_);
    if (!Compile(file).ToLocal(&module) && !as_module.Message().IsEmpty() &&
        as_module.Message()->GetStartPosition() >= as_script.Message()->GetStartPosition()) {
      as_module.ReThrow();
    }
  }
  if (module.IsEmpty()) {
    as_script.ReThrow();
    return {};
  }
  as_script.Reset();
  Local<Value> promise;
  if (RunModule(context, Add(ada::href_from_file(file.path), file, module, {})).ToLocal(&promise)) return promise;
  as_script.ReThrow();
  return {};
}

MaybeLocal<Value> ModuleLoader::RunModule(Local<Context> context, Entry* entry) {
  main_ = entry;
  const Local<Module> module = entry->module.Get(isolate_);
  if (!LoadGraph(context, entry) || module->InstantiateModule(context, OnResolve).IsNothing()) return {};
  parts_.sources.Close();
  return module->Evaluate(context);
}

ModuleLoader::Entry* ModuleLoader::Import(Local<Context> context, const std::string& referrer, Local<String> specifier,
                                          Local<FixedArray> attributes) {
  const std::optional<Target> target = Resolve(referrer, specifier, attributes, 2);
  if (!target) return nullptr;
  Entry* entry = Find(*target);
  if (!entry) entry = Load(context, *target, ToUtf8(isolate_, specifier));
  if (!entry) return nullptr;
  const Local<Module> module = entry->module.Get(isolate_);
  if (!LoadGraph(context, entry) || module->InstantiateModule(context, OnResolve).IsNothing()) return nullptr;
  return entry;
}

// Evaluates in a microtask of its own, as the language says: the module may be one that is being evaluated right now,
// which V8 does not survive.
bool ModuleLoader::EvaluateSoon(Local<Context> context, Entry* entry, Local<v8::Promise::Resolver> imported) {
  Local<Value> parts[] = {imported, v8::Integer::NewFromUnsigned(isolate_, entry->number)};
  Local<v8::Function> evaluate;
  if (!v8::Function::New(context, OnEvaluate, v8::Array::New(isolate_, parts, 2)).ToLocal(&evaluate)) return false;
  isolate_->EnqueueMicrotask(evaluate);
  return true;
}

bool ModuleLoader::Evaluate(Local<Context> context, Local<v8::Array> import) {
  const Entry& entry = *entries_[PartOf(context, import, kEntry).As<v8::Uint32>()->Value()];
  Local<Value> promise;
  Local<v8::Function> evaluated, failed;
  return entry.module.Get(isolate_)->Evaluate(context).ToLocal(&promise) &&
         v8::Function::New(context, OnEvaluated, import).ToLocal(&evaluated) &&
         v8::Function::New(context, OnFailed, import).ToLocal(&failed) &&
         !promise.As<v8::Promise>()->Then(context, evaluated, failed).IsEmpty();
}

std::optional<ModuleLoader::Target> ModuleLoader::Resolve(const std::string& referrer, Local<String> specifier_v8,
                                                          Local<FixedArray> attributes, int attribute_stride) {
  const std::string specifier = ToUtf8(isolate_, specifier_v8);
  const Local<Context> context = isolate_->GetCurrentContext();
  bool as_json = false;
  for (int i = 0; i + 1 < attributes->Length(); i += attribute_stride) {
    const std::string key = ToUtf8(isolate_, attributes->Get(context, i).As<String>());
    const std::string value = ToUtf8(isolate_, attributes->Get(context, i + 1).As<String>());
    if (key != "type" || value != "json") {
      Throw(isolate_, v8::Exception::TypeError,
            "Import attribute '" + key + ": " + value + "' of '" + specifier + "' is not supported; type: json is");
      return std::nullopt;
    }
    as_json = true;
  }
  if (!IsRelativeOrFile(specifier)) {
    Throw(isolate_, v8::Exception::TypeError,
          "Cannot import '" + specifier + "' from '" + referrer +
              "': only relative files ('./…', '../…') can be imported; bundle packages into the task's folder");
    return std::nullopt;
  }
  const auto base = ada::parse<ada::url_aggregator>(ada::href_from_file(referrer));
  const auto url = ada::parse<ada::url_aggregator>(specifier, base ? &*base : nullptr);
  const std::string root = folder_.path() == "/" ? "/" : folder_.path() + "/";
  std::string path;
  if (url) path = ada::unicode::percent_decode(url->get_pathname(), url->get_pathname().find('%'));
  if (!url || url->get_protocol() != "file:" || !path.starts_with(root)) {
    Throw(isolate_, v8::Exception::TypeError,
          "Cannot import '" + specifier + "' from '" + referrer + "': it leads out of the task's folder (pwd) '" +
              folder_.path() + "'");
    return std::nullopt;
  }
  Kind kind = Kind::kScript;
  if (as_json || path.ends_with(".json"))
    kind = Kind::kJson;
  else if (path.ends_with(".wasm"))
    kind = Kind::kWasm;
  return Target{std::string(url->get_href()), path.substr(root.size()),
                std::string(url->get_search()) + std::string(url->get_hash()), kind};
}

ModuleLoader::Entry* ModuleLoader::Find(const Target& target) {
  const auto found = by_url_.find(target.url);
  return found == by_url_.end() ? nullptr : found->second;
}

ModuleLoader::Entry* ModuleLoader::Load(Local<Context> context, const Target& target, const std::string& specifier,
                                        bool* was_read) {
  if (entries_.size() >= kMaxModules) {
    Throw(isolate_, v8::Exception::RangeError,
          "Cannot import '" + specifier + "': a task may have " + std::to_string(kMaxModules) + " modules");
    return nullptr;
  }
  const std::optional<FileContents> read =
      Read(target.relative, "Cannot import '" + specifier + "' (" + folder_.path() + "/" + target.relative + "): ");
  if (!read) return nullptr;
  if (was_read) *was_read = true;
  const FileContents& file = *read;
  if (const auto same = by_file_.find(file.path + target.suffix); same != by_file_.end()) {
    return by_url_[target.url] = same->second;
  }
  Local<Module> module;
  Local<Value> value;
  const bool compiled = target.kind == Kind::kScript
                            ? Compile(file).ToLocal(&module)
                            : MakeSynthetic(context, target.kind, file, &value).ToLocal(&module);
  if (!compiled) return nullptr;
  Entry* entry = Add(target.url, file, module, value);
  by_file_.emplace(file.path + target.suffix, entry);
  return entry;
}

// Loads all that `root` imports, statically and through others, without recursion: graphs may be deep.
bool ModuleLoader::LoadGraph(Local<Context> context, Entry* root) {
  place_.reset();
  std::vector<Entry*> pending{root};
  std::unordered_set<Entry*> seen{root};
  while (!pending.empty()) {
    const v8::HandleScope handles(isolate_);
    Entry* entry = pending.back();
    pending.pop_back();
    const Local<Module> module = entry->module.Get(isolate_);
    if (!module->IsSourceTextModule() || module->GetStatus() != Module::kUninstantiated) continue;
    const Local<FixedArray> requests = module->GetModuleRequests();
    for (int i = 0; i < requests->Length(); ++i) {
      Entry* imported = LoadRequest(context, entry, requests->Get(context, i).As<v8::ModuleRequest>());
      if (!imported) return false;
      if (seen.insert(imported).second) pending.push_back(imported);
    }
  }
  return true;
}

ModuleLoader::Entry* ModuleLoader::LoadRequest(Local<Context> context, Entry* referrer,
                                               Local<v8::ModuleRequest> request) {
  const Local<String> specifier = request->GetSpecifier();
  const std::optional<Target> target = Resolve(referrer->path, specifier, request->GetImportAttributes(), 3);
  Entry* entry = target ? Find(*target) : nullptr;
  if (entry) return entry;
  bool was_read = false;  // a file that was read but does not compile names its own place
  if (target) entry = Load(context, *target, ToUtf8(isolate_, specifier), &was_read);
  if (!entry && !was_read) NotePlace(referrer, request);
  return entry;
}

MaybeLocal<Module> ModuleLoader::Compile(const FileContents& file) {
  Local<String> text;
  if (!ToV8(isolate_, WithoutBom(file.bytes)).ToLocal(&text)) {
    Throw(isolate_, v8::Exception::RangeError, "'" + file.path + "' is too large");
    return {};
  }
  v8::ScriptCompiler::Source source(text, Origin(isolate_, file.path, true));
  return v8::ScriptCompiler::CompileModule(isolate_, &source);
}

MaybeLocal<Module> ModuleLoader::MakeSynthetic(Local<Context> context, Kind kind, const FileContents& file,
                                               Local<Value>* value) {
  if (kind == Kind::kJson) {
    if (!ParseJson(context, file).ToLocal(value)) return {};
  } else if (!parts_.allow_wasm) {
    Throw(isolate_, v8::Exception::Error, "'" + file.path + "' cannot be imported: " + std::string(kWasmIsOff));
    return {};
  } else if (!CompileWasm(file).ToLocal(value)) {
    return {};
  }
  Local<String> name;
  if (!ToV8(isolate_, file.path).ToLocal(&name)) return {};
  const Local<String> exports[] = {ShortV8(isolate_, "default")};
  return Module::CreateSyntheticModule(isolate_, name, {exports, 1}, OnEvaluateSynthetic);
}

MaybeLocal<Value> ModuleLoader::CompileWasm(const FileContents& file) {
  std::string reason;
  {
    v8::TryCatch caught(isolate_);
    const auto* bytes = reinterpret_cast<const uint8_t*>(file.bytes.data());
    Local<v8::WasmModuleObject> compiled;
    if (v8::WasmModuleObject::Compile(isolate_, {bytes, file.bytes.size()}).ToLocal(&compiled)) return compiled;
    if (caught.HasTerminated()) {
      caught.ReThrow();
      return {};
    }
    if (!caught.Message().IsEmpty()) reason = ToUtf8(isolate_, caught.Message()->Get());
  }
  Throw(isolate_, v8::Exception::WasmCompileError, "'" + file.path + "' is not WebAssembly: " + reason);
  return {};
}

MaybeLocal<Value> ModuleLoader::ParseJson(Local<Context> context, const FileContents& file) {
  Local<String> text;
  Local<Value> value;
  std::string reason = "it is too large";
  {
    v8::TryCatch caught(isolate_);
    if (ToV8(isolate_, WithoutBom(file.bytes)).ToLocal(&text) && v8::JSON::Parse(context, text).ToLocal(&value)) {
      return value;
    }
    if (caught.HasTerminated()) {
      caught.ReThrow();
      return {};
    }
    if (!caught.Message().IsEmpty()) reason = ToUtf8(isolate_, caught.Message()->Get());
  }
  Throw(isolate_, v8::Exception::SyntaxError, "'" + file.path + "' is not JSON: " + reason);
  return {};
}

ModuleLoader::Entry* ModuleLoader::Add(std::string key, const FileContents& file, Local<Module> module,
                                       Local<Value> value) {
  auto entry = std::make_unique<Entry>();
  entry->module.Reset(isolate_, module);
  if (!value.IsEmpty()) entry->value.Reset(isolate_, value);
  entry->path = file.path;
  entry->number = static_cast<uint32_t>(entries_.size());
  by_hash_.emplace(module->GetIdentityHash(), entry.get());
  by_file_.emplace(file.path, entry.get());
  by_url_.emplace(std::move(key), entry.get());
  return entries_.emplace_back(std::move(entry)).get();
}

ModuleLoader::Entry* ModuleLoader::EntryOf(Local<Module> module) {
  const auto [begin, end] = by_hash_.equal_range(module->GetIdentityHash());
  const auto found = std::find_if(begin, end, [&](const auto& pair) { return pair.second->module == module; });
  return found == end ? nullptr : found->second;
}

void ModuleLoader::NotePlace(Entry* referrer, Local<v8::ModuleRequest> request) {
  v8::Location location = referrer->module.Get(isolate_)->SourceOffsetToLocation(request->GetSourceOffset());
  place_.emplace();
  place_->file = referrer->path;
  place_->line = location.GetLineNumber() + 1;
  place_->column = location.GetColumnNumber() + 1;
  const std::string relative = referrer->path.substr(std::min(referrer->path.size(), folder_.path().size() + 1));
  const auto read = folder_.Read(relative);
  if (const auto* file = std::get_if<FileContents>(&read)) place_->source_line = LineOf(file->bytes, place_->line);
}

MaybeLocal<Module> ModuleLoader::OnResolve(Local<Context>, Local<String> specifier, Local<FixedArray> attributes,
                                           Local<Module> referrer) {
  ModuleLoader* self = From(v8::Isolate::GetCurrent());
  const Entry* from = self->EntryOf(referrer);
  const std::optional<Target> target = self->Resolve(from ? from->path : "", specifier, attributes, 3);
  if (!target) return {};
  if (Entry* entry = self->Find(*target)) return entry->module.Get(self->isolate_);
  Throw(self->isolate_, v8::Exception::Error, "Module '" + target->url + "' was not loaded");
  return {};
}

MaybeLocal<v8::Promise> ModuleLoader::OnDynamicImport(Local<Context> context, Local<v8::Data>,
                                                      Local<Value> resource_name, Local<String> specifier,
                                                      Local<FixedArray> attributes) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  ModuleLoader* self = From(isolate);
  Local<v8::Promise::Resolver> resolver;
  if (!v8::Promise::Resolver::New(context).ToLocal(&resolver)) return {};
  v8::TryCatch caught(isolate);
  // Code made by eval or new Function has no file of its own: the folder counts as its place.
  std::string referrer = resource_name->IsString() ? ToUtf8(isolate, resource_name.As<String>()) : "";
  if (!referrer.starts_with("/")) referrer = self->folder_.path() + "/";
  Entry* entry = self->Import(context, referrer, specifier, attributes);
  if (entry && self->EvaluateSoon(context, entry, resolver)) return resolver->GetPromise();
  if (caught.HasTerminated() || resolver->Reject(context, caught.Exception()).IsNothing()) {
    caught.ReThrow();
    return {};
  }
  return resolver->GetPromise();
}

void ModuleLoader::OnEvaluate(const v8::FunctionCallbackInfo<Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  const Local<Context> context = isolate->GetCurrentContext();
  const Local<v8::Array> import = info.Data().As<v8::Array>();
  v8::TryCatch caught(isolate);
  if (From(isolate)->Evaluate(context, import)) return;
  const Local<Value> resolver = PartOf(context, import, kResolver);
  if (caught.HasTerminated() || resolver.As<v8::Promise::Resolver>()->Reject(context, caught.Exception()).IsNothing()) {
    caught.ReThrow();
  }
}

void ModuleLoader::OnEvaluated(const v8::FunctionCallbackInfo<Value>& info) {
  v8::Isolate* isolate = info.GetIsolate();
  const Local<Context> context = isolate->GetCurrentContext();
  const Local<v8::Array> import = info.Data().As<v8::Array>();
  const uint32_t number = PartOf(context, import, kEntry).As<v8::Uint32>()->Value();
  const Local<Value> names = From(isolate)->entries_[number]->module.Get(isolate)->GetModuleNamespace();
  // Fails only if the program is being terminated; so below.
  std::ignore = PartOf(context, import, kResolver).As<v8::Promise::Resolver>()->Resolve(context, names);
}

void ModuleLoader::OnFailed(const v8::FunctionCallbackInfo<Value>& info) {
  const Local<Context> context = info.GetIsolate()->GetCurrentContext();
  const Local<Value> resolver = PartOf(context, info.Data().As<v8::Array>(), kResolver);
  std::ignore = resolver.As<v8::Promise::Resolver>()->Reject(context, info[0]);
}

void ModuleLoader::OnImportMeta(Local<Context> context, Local<Module> module, Local<v8::Object> meta) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const Entry* entry = From(isolate)->EntryOf(module);
  Local<String> url;
  if (!entry || !ToV8(isolate, ada::href_from_file(entry->path)).ToLocal(&url)) return;
  // Fails only if the program is being terminated.
  std::ignore = meta->CreateDataProperty(context, ShortV8(isolate, "url"), url);
}

MaybeLocal<Value> ModuleLoader::OnEvaluateSynthetic(Local<Context> context, Local<Module> module) {
  v8::Isolate* isolate = v8::Isolate::GetCurrent();
  const Entry* entry = From(isolate)->EntryOf(module);
  Local<v8::Promise::Resolver> resolver;
  if (!entry || !v8::Promise::Resolver::New(context).ToLocal(&resolver) ||
      module->SetSyntheticModuleExport(isolate, ShortV8(isolate, "default"), entry->value.Get(isolate)).IsNothing() ||
      resolver->Resolve(context, v8::Undefined(isolate)).IsNothing()) {
    return {};
  }
  return resolver->GetPromise();
}

}  // namespace isolated
