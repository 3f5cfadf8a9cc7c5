"""The ports' implementations: `pyodide` in the browser, `http` in CPython."""
