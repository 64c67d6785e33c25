# Read by ./yapmo and ./nox when something may be missing: finds a Python and hands over to bootstrap.py.
# Expects $name (yapmo or nox), $here (the checkout) and the arguments of the launcher.

for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' </dev/null >/dev/null 2>&1; then
        exec "$python" -B -E -c 'import sys; sys.path[0] = sys.argv[2]; from tui.bootstrap import main; main(sys.argv[1:])' \
            "$name" "$here" "$@"
    fi
done

if command -v apt-get >/dev/null; then
    command="sudo apt-get install -y python3 python3-venv   (or python3.11 python3.11-venv on older systems)"
elif command -v dnf >/dev/null; then
    command="sudo dnf install -y python3.12"
elif command -v zypper >/dev/null; then
    command="sudo zypper install python312"
elif command -v pacman >/dev/null; then
    command="sudo pacman -S python"
elif command -v apk >/dev/null; then
    command="sudo apk add python3"
elif command -v brew >/dev/null; then
    command="brew install python"
else
    command="see https://www.python.org/downloads/"
fi
echo "$name: Python 3.11 or newer is needed, and there is none in PATH. Install it, then start again:" >&2
echo "    $command" >&2
exit 2
