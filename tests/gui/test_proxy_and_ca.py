"""A proxy that wants a password and a service with a private CA: both are honoured as QGIS is told, or explained."""

from __future__ import annotations

import base64
from contextlib import ExitStack

import pytest
from plugin_kit import ANALYTIC, SMALL, SPEED, plugin_in, wait_for
from private_network import (
    ADDRESS,
    HOST,
    PrivateAuthority,
    forget_qgis_proxy,
    office_proxy,
    secure_front,
    set_qgis_proxy,
    tinyproxy,
)
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDialog, QVBoxLayout
from sandbox_process import start_sandbox

from up42_plugin.core.connection_check import StepName
from up42_plugin.core.connections import ProjectKey

UNTRUSTED = "Certificate not trusted. Add it under Settings > Options > Authentication."
WANTS_PASSWORD = "The proxy 127.0.0.1 wants a password. Check Settings > Options > Network."
PROXIES = {"own": office_proxy, "tinyproxy": tinyproxy}


@pytest.fixture(scope="module")
def office(tmp_path_factory):
    """The sandbox, its authority, and a front with a good certificate."""
    folder = tmp_path_factory.mktemp("office")
    with ExitStack() as stack:
        sandbox = stack.enter_context(start_sandbox(folder / "data", *SPEED))
        authority = PrivateAuthority(folder)
        front = stack.enter_context(secure_front(sandbox, authority.issue("good")))
        yield sandbox, authority, front


@pytest.fixture
def proxy(office, tmp_path):
    with office_proxy(tmp_path, office[2]) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def qgis_without_proxy(qgis_app):
    yield
    forget_qgis_proxy()


@pytest.fixture
def kit(tmp_path, qgis_app):
    with plugin_in(tmp_path / "plugin") as kit:
        yield kit


@pytest.fixture
def dialog(kit, office):
    """Add Connection on the options page, filled in for the service behind the proxy."""
    sandbox = office[0]
    window = QDialog(kit.iface.window)
    page = kit.iface.options[0].createWidget(window)
    QVBoxLayout(window).addWidget(page)
    window.show()
    kit.click(page.add_button)
    dialog = page.editing.dialog
    dialog.name.setText("Office")
    dialog.region.setCurrentIndex(dialog.region.count() - 1)
    dialog.address.setText(ADDRESS)
    dialog.project_id.setText(sandbox.project_id)
    dialog.key.setText(sandbox.project_api_key)
    dialog.keep.setCurrentIndex(dialog.keep.findData(False))
    yield dialog
    page.editing.close()
    window.close()
    window.deleteLater()


def test_of(dialog):
    """Click Test Connection; the step it stopped at and what it says, or nothing for one that works."""
    panel = dialog.test
    panel.clear()
    QTest.mouseClick(panel.button, Qt.MouseButton.LeftButton)
    wait_for(lambda: panel.verdict.text() not in ("", "Testing…"), "the test of the connection")
    verdict = panel.verdict.text()
    if "works." in verdict and "<b>" in verdict:
        return None
    step = next(name for name in StepName if verdict.startswith(f"Failed at {name.value.lower()}"))
    return step, panel.text_of(step)


test_of.__test__ = False


@pytest.mark.parametrize("kind", PROXIES)
def test_connection_tells_the_way_and_ends_well(kind, dialog, office, tmp_path):
    _, authority, front = office
    with PROXIES[kind](tmp_path, front) as proxy:
        set_qgis_proxy(proxy.port)
        assert test_of(dialog) == (StepName.PROXY, WANTS_PASSWORD)
        set_qgis_proxy(proxy.port, user=proxy.user, password="wrong-1")
        refused = "The proxy 127.0.0.1 does not accept its user and password. Check Settings > Options > Network."
        assert test_of(dialog) == (StepName.PROXY, refused)
        set_qgis_proxy(proxy.port, user=proxy.user, password=proxy.password)
        assert test_of(dialog) == (StepName.CERTIFICATE, UNTRUSTED)
        with authority.trusted_in_qgis():
            assert test_of(dialog) is None
        panel = dialog.test
        assert panel.text_of(StepName.PROXY) == f"QGIS proxy, 127.0.0.1:{proxy.port}"
        assert panel.text_of(StepName.CERTIFICATE) == "Trusted by QGIS"
        assert panel.text_of(StepName.SIGN_IN) == "Project ID and key accepted"
        assert {line.rpartition(" ")[0] for line in proxy.asked()} == {f"CONNECT {HOST}:443"}


@pytest.mark.parametrize("kind", PROXIES)
def test_a_whole_test_query_goes_through_both(kind, kit, office, tmp_path):
    """From the dock: told what to do twice, done, tried again, and then everything works without a restart."""
    sandbox, authority, front = office
    with PROXIES[kind](tmp_path, front) as proxy, ExitStack() as trust:
        set_qgis_proxy(proxy.port)
        kit.desk.hub.add("Office", ADDRESS, ProjectKey(sandbox.project_id, sandbox.project_api_key), False)
        kit.dock.setUserVisible(True)
        kit.dock.resize(420, 860)
        wait_for(lambda: kit.reason == WANTS_PASSWORD, "the word on the proxy", of=kit.situation)
        set_qgis_proxy(proxy.port, user=proxy.user, password=proxy.password)
        kit.click(kit.dock.foot.again_button)
        wait_for(lambda: kit.reason == UNTRUSTED, "the word on the certificate", of=kit.situation)
        trust.enter_context(authority.trusted_in_qgis())
        kit.click(kit.dock.foot.again_button)
        kit.wait_until_ready()
        kit.area(SMALL)
        kit.choose(ANALYTIC, clouds=100)
        before = len(proxy.asked())
        run = kit.test_query()
        assert run.scenes
        assert len(proxy.asked()) > before
        wait_for(lambda: kit.desk.new_job.price.estimation is not None, "the price")
        encoded = base64.b64encode(f"{proxy.user}:{proxy.password}".encode()).decode()
        told = "\n".join([*kit.lines, *kit.told])
        assert not [secret for secret in (proxy.password, encoded, sandbox.project_api_key) if secret in told]


def test_a_proxy_that_does_not_run(dialog, office, tmp_path):
    with office_proxy(tmp_path, office[2]) as gone:
        port = gone.port
    set_qgis_proxy(port)
    told = "The proxy 127.0.0.1 cannot be reached. Check Settings > Options > Network."
    assert test_of(dialog) == (StepName.PROXY, told)


def test_a_name_that_the_proxy_does_not_know(dialog, proxy):
    set_qgis_proxy(proxy.port, user=proxy.user, password=proxy.password)
    dialog.address.setText("https://api.elsewhere.test")
    told = "The proxy 127.0.0.1 cannot reach api.elsewhere.test (502). Check the address of the connection."
    assert test_of(dialog) == (StepName.PROXY, told)


@pytest.mark.parametrize("listed", ["excluded", "no_proxy"])
def test_what_qgis_excludes_goes_its_own_way(listed, dialog, proxy):
    """Without the proxy nobody knows the name, and the proxy is not asked."""
    set_qgis_proxy(proxy.port, user=proxy.user, password=proxy.password, **{listed: [ADDRESS]})
    told = f"{HOST} was not found. Check the network and the address of the connection."
    assert test_of(dialog) == (StepName.ADDRESS, told)
    assert proxy.asked() == []


def test_an_authority_that_only_the_environment_knows_is_not_enough(dialog, office, proxy, monkeypatch):
    _, authority, _ = office
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, str(authority.pem))
    set_qgis_proxy(proxy.port, user=proxy.user, password=proxy.password)
    assert test_of(dialog) == (StepName.CERTIFICATE, UNTRUSTED)


RENEW = "Check the date of this computer, or have the service's operator renew it."
EXPIRED = f"The certificate of {HOST} has expired. {RENEW}"
OF_ANOTHER = f"The certificate is not for {HOST}. Check the address of the connection."


@pytest.mark.parametrize(("wrong", "told"), [({"days": -1}, EXPIRED), ({"host": "www.service.test"}, OF_ANOTHER)])
def test_a_certificate_that_trust_does_not_mend(wrong, told, dialog, office, tmp_path):
    sandbox, authority, _ = office
    with secure_front(sandbox, authority.issue("wrong", **wrong)) as front, office_proxy(tmp_path, front) as proxy:
        set_qgis_proxy(proxy.port, user=proxy.user, password=proxy.password)
        with authority.trusted_in_qgis():
            assert test_of(dialog) == (StepName.CERTIFICATE, told)
