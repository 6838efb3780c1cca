namespace openbell {
// The version of the native core; Python compares it with its own at import.
extern const char* const kVersion = "0.1.0";
}  // namespace openbell
