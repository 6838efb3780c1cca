#include "sender/node_file.h"

#include <dirent.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <vector>

#include "journal/mapping.h"

namespace openbell {
namespace {

constexpr char kPage[] = "/journal.ctl";
constexpr std::size_t kLinesMax = 10'000;

bool is_node(const std::string& dir) { return file_exists(dir + kPage); }

std::string trimmed(std::string text) {
    const auto first = text.find_first_not_of(" \t\r");
    if (first == std::string::npos) return "";
    return text.substr(first, text.find_last_not_of(" \t\r") - first + 1);
}

// The value of `key = "value"`, on a line of its own; empty if the line is another one.
std::string value_of(const std::string& line, const std::string& key) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) return "";
    if (trimmed(line.substr(0, equals)) != key) return "";
    const std::string right = trimmed(line.substr(equals + 1));
    if (right.size() < 2 || (right[0] != '"' && right[0] != '\'')) return "";
    const auto end = right.find(right[0], 1);
    if (end == std::string::npos) return "";
    return right.substr(1, end - 1);
}

// From the file's own words alone, and only the plain ones: who writes TOML another way gives the name itself.
std::string hot_dir_of_file(const std::string& path) {
    std::ifstream file(path);
    std::string line, name, run_dir, table;
    for (std::size_t n = 0; n < kLinesMax && std::getline(file, line); ++n) {
        const std::string words = trimmed(line);
        if (words.starts_with("[")) table = words.substr(0, words.find(']') + 1);
        if (table != "[node]") continue;
        if (const std::string found = value_of(words, "name"); !found.empty()) name = found;
        if (const std::string found = value_of(words, "run_dir"); !found.empty()) run_dir = found;
    }
    if (name.empty())
        throw Error(ErrorKind::Config,
                    path + ": expected a [node] table with a name, found none; give the name itself");
    if (run_dir.empty()) return std::string(kSharedMemory) + "/" + name;
    if (run_dir.starts_with("~"))
        throw Error(ErrorKind::Config, path + ": run_dir begins with ~; give the hot directory itself");
    return (std::filesystem::absolute(path).parent_path() / run_dir).lexically_normal().string();
}

std::string only_node() {
    std::vector<std::string> found;
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(kSharedMemory, none))
        if (is_node(entry.path().string())) found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
    if (found.size() == 1) return found[0];
    std::string names;
    for (const std::string& dir : found) names += (names.empty() ? ": " : ", ") + dir;
    throw Error(ErrorKind::Config, "expected one node in " + std::string(kSharedMemory) + ", found " +
                                       std::to_string(found.size()) + names +
                                       "; give its name, its .toml file or its hot directory");
}

}  // namespace

std::string find_hot_dir(const std::string& node) {
    if (node.empty()) return only_node();
    const std::string shared = std::string(kSharedMemory) + "/" + node;
    const std::string named = node.ends_with(".toml") ? hot_dir_of_file(node) : is_node(node) ? node : shared;
    if (is_node(named)) return named;
    throw Error(ErrorKind::Config, "expected a node's name, its .toml file or its hot directory, found '" + node +
                                       "' and no node in " + named + "; nothing was done");
}

}  // namespace openbell
