# Makes .venv with what the other scripts need, and nothing when nothing changed. Sourced, not run.

# The first Python on PATH that starts and is new enough; a shim that only exists does not count.
find_python() {
  local candidate
  for candidate in python3.13 python3.12 python3.11 python3.14 python3 python; do
    if "$candidate" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
      echo "$candidate"
      return 0
    fi
  done
  echo "Tillgate needs Python 3.11 or newer (with the venv module), and there is none on PATH." >&2
  return 1
}

# What the installation depends on: where it is, what it needs, and the packaged policy, which is a copy.
fingerprint() {
  "$1" - "$PWD" pyproject.toml uv.lock policy.yaml <<'PY'
import hashlib, pathlib, sys
found = hashlib.sha256(sys.argv[1].encode())
for name in sys.argv[2:]:
    file = pathlib.Path(name)
    found.update(name.encode() + (file.read_bytes() if file.is_file() else b""))
print(found.hexdigest())
PY
}

install_with_uv() {
  local dev="--no-dev"
  [ "$1" = dev ] && dev="--dev"
  env -u VIRTUAL_ENV UV_PROJECT_ENVIRONMENT=.venv \
    uv sync --quiet --frozen --inexact "$dev" --python "$2" --reinstall-package tillgate
}

install_with_pip() {
  export PIP_DISABLE_PIP_VERSION_CHECK=1
  if ! .venv/bin/python -c 'import pip, sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
    "$2" -m venv --clear .venv
  fi
  if [ "$1" = dev ]; then
    .venv/bin/python -m pip install --quiet --upgrade 'pip>=25.1'
    .venv/bin/python -m pip install --quiet --editable . --group dev
  else
    .venv/bin/python -m pip install --quiet --editable .
  fi
}

# What is installed as a package is compiled then; a checkout is compiled here, so that it starts as fast.
compile_sources() {
  .venv/bin/python -m compileall -q guards tools server
}

# set_up run: what Tillgate needs. set_up dev: what its tests need as well.
set_up() {
  local python wanted
  python="$(find_python)" || exit 1
  wanted="$(fingerprint "$python")"
  if [ -x .venv/bin/tillgate ] && [ "$(cat ".venv/.tillgate-$1" 2>/dev/null)" = "$wanted" ]; then
    compile_sources
    return 0
  fi
  echo "Setting up .venv; this is done once." >&2
  if ! command -v uv >/dev/null 2>&1; then
    install_with_pip "$1" "$python"
  elif ! install_with_uv "$1" "$python"; then
    echo "uv could not do it; trying pip." >&2
    install_with_pip "$1" "$python"
  fi
  echo "$wanted" >".venv/.tillgate-$1"
  compile_sources
  [ "$1" = run ] || echo "$wanted" >.venv/.tillgate-run
}
