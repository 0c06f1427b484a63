{
  "targets": [
    {
      "target_name": "ha",
      "sources": ["src/addon.c"],
      "defines": ["NAPI_VERSION=8"],
      "cflags": ["-std=gnu17", "-Wall", "-Wextra", "<!@(pkg-config --cflags libha)"],
      "libraries": ["<!@(pkg-config --libs libha)"]
    }
  ]
}
