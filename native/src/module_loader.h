#pragma once
#include <v8.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "exit_report.h"
#include "file_reader.h"
#include "source_hash.h"

namespace isolated {

// Loads a task's modules out of its folder: ES modules, JSON, WebAssembly, and a classic main script.
//
// Isolate's thread, inside its scopes. Failures are JavaScript exceptions, as a program could catch them.
class ModuleLoader {
 public:
  static constexpr int kDataSlot = 2;
  // A bound against graphs without end; far above what programs have.
  static constexpr size_t kMaxModules = 10'000;

  // What it loads from, and what it may not load.
  struct Parts {
    std::unique_ptr<FolderReader> folder;  // open
    SourceHash& sources;
    std::string blocked;  // hashes of sources that are not run, each ended by a line feed
    bool allow_wasm = true;
  };

  ModuleLoader(v8::Isolate* isolate, Parts parts);
  ~ModuleLoader();

  // Runs the main module. An ES module's evaluation promise, or undefined after a classic script ran. Empty: an
  // exception is pending, and `place` may say where better than it does.
  v8::MaybeLocal<v8::Value> RunMain(v8::Local<v8::Context> context, const std::string& main_path);

  // The main module's namespace; undefined for a classic script.
  v8::Local<v8::Value> main_namespace() const;

  // Whether the last load failed because the sources are blocked.
  bool blocked() const { return blocked_; }

  // The import statement that made the last load fail, if it was one.
  const std::optional<ScriptError>& place() const { return place_; }

 private:
  struct Entry {
    v8::Global<v8::Module> module;
    v8::Global<v8::Value> value;  // default export of a JSON or WebAssembly module
    std::string path;             // absolute
    uint32_t number;              // its place in entries_
  };
  enum class Kind : uint8_t { kScript, kJson, kWasm };
  // What a specifier names.
  struct Target {
    std::string url;       // with query and fragment: the module's identity
    std::string relative;  // file, below the folder
    std::string suffix;    // query and fragment
    Kind kind;
  };

  static ModuleLoader* From(v8::Isolate* isolate);
  static v8::MaybeLocal<v8::Module> OnResolve(v8::Local<v8::Context> context, v8::Local<v8::String> specifier,
                                              v8::Local<v8::FixedArray> attributes, v8::Local<v8::Module> referrer);
  static v8::MaybeLocal<v8::Promise> OnDynamicImport(v8::Local<v8::Context> context, v8::Local<v8::Data>,
                                                     v8::Local<v8::Value> resource_name,
                                                     v8::Local<v8::String> specifier,
                                                     v8::Local<v8::FixedArray> attributes);
  // The steps of a dynamic import; their data is an array of the import's resolver and the entry's number.
  static void OnEvaluate(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void OnEvaluated(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void OnFailed(const v8::FunctionCallbackInfo<v8::Value>& info);
  static void OnImportMeta(v8::Local<v8::Context> context, v8::Local<v8::Module> module, v8::Local<v8::Object> meta);
  static v8::MaybeLocal<v8::Value> OnEvaluateSynthetic(v8::Local<v8::Context> context, v8::Local<v8::Module> module);

  v8::MaybeLocal<v8::Value> RunModule(v8::Local<v8::Context> context, Entry* entry);
  v8::MaybeLocal<v8::Value> RunScriptOrModule(v8::Local<v8::Context> context, const FileContents& file,
                                              bool may_be_module);

  // Each returns nothing with an exception pending.
  Entry* Import(v8::Local<v8::Context> context, const std::string& referrer, v8::Local<v8::String> specifier,
                v8::Local<v8::FixedArray> attributes);
  bool EvaluateSoon(v8::Local<v8::Context> context, Entry* entry, v8::Local<v8::Promise::Resolver> imported);
  bool Evaluate(v8::Local<v8::Context> context, v8::Local<v8::Array> import);
  std::optional<FileContents> Read(const std::string& relative, const std::string& failure);
  std::optional<Target> Resolve(const std::string& referrer, v8::Local<v8::String> specifier,
                                v8::Local<v8::FixedArray> attributes, int attribute_stride);
  Entry* Find(const Target& target);
  // `was_read`, where given, becomes true if the file was found, whatever came of it.
  Entry* Load(v8::Local<v8::Context> context, const Target& target, const std::string& specifier,
              bool* was_read = nullptr);
  bool LoadGraph(v8::Local<v8::Context> context, Entry* root);
  Entry* LoadRequest(v8::Local<v8::Context> context, Entry* referrer, v8::Local<v8::ModuleRequest> request);
  v8::MaybeLocal<v8::Module> Compile(const FileContents& file);
  v8::MaybeLocal<v8::Module> MakeSynthetic(v8::Local<v8::Context> context, Kind kind, const FileContents& file,
                                           v8::Local<v8::Value>* value);
  v8::MaybeLocal<v8::Value> CompileWasm(const FileContents& file);
  v8::MaybeLocal<v8::Value> ParseJson(v8::Local<v8::Context> context, const FileContents& file);

  Entry* Add(std::string key, const FileContents& file, v8::Local<v8::Module> module, v8::Local<v8::Value> value);
  Entry* EntryOf(v8::Local<v8::Module> module);
  void NotePlace(Entry* referrer, v8::Local<v8::ModuleRequest> request);

  v8::Isolate* isolate_;
  Parts parts_;
  FolderReader& folder_;
  bool blocked_ = false;
  std::vector<std::unique_ptr<Entry>> entries_;
  std::unordered_map<std::string, Entry*> by_url_;
  std::unordered_map<std::string, Entry*> by_file_;  // links resolved, with query and fragment
  std::unordered_multimap<int, Entry*> by_hash_;     // V8's identity hash
  Entry* main_ = nullptr;
  std::optional<ScriptError> place_;
};

}  // namespace isolated
