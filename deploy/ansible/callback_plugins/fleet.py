"""Prints the output of a task that is polled, which is how far the job of a host is."""

from ansible.plugins.callback.default import CallbackModule as Default

DOCUMENTATION = """
    name: fleet
    type: stdout
    short_description: default output, with the status of running jobs
    extends_documentation_fragment:
      - default_callback
"""


class CallbackModule(Default):
    CALLBACK_NAME = "fleet"

    def __init__(self):
        super().__init__()
        self.shown = {}

    def v2_runner_retry(self, result):
        host, status = result._host.get_name(), result._result.get("stdout", "").strip()
        if status and self.shown.get(host) != status:
            self.shown[host] = status
            self._display.display(f"{host}: {status}")
