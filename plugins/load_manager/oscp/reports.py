"""What the hub says to capacity providers of its own accord: more capacity wanted, a forecast that cannot be met,
measurements as the connection's profile wants them.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from plugins.load_manager.oscp.access import NotDelivered
from plugins.load_manager.oscp.book import ProviderBook
from plugins.load_manager.oscp.messages import (
    AssetCategory,
    AssetMeasurement,
    CapacityUnit,
    Direction,
    EnergyMeasurement,
    EnergyType,
    EnergyUnit,
    ForecastedBlock,
    ForecastType,
    GroupCapacityComplianceError,
    GroupCapacityForecast,
    InstantaneousMeasurement,
    MeasurementConfiguration,
    Message,
    Phase,
    UpdateAssetMeasurements,
    UpdateGroupMeasurements,
)
from plugins.load_manager.oscp.outgoing import RETRY_AFTER_S, Outgoing
from plugins.load_manager.oscp.profile import Metering
from plugins.load_manager.oscp.provider import Provider, State


class Reports:
    """Each call delivers one message, with tries that may take half a minute unless said otherwise: call it beside the
    traffic. Raises NotDelivered, and UnknownProvider where there is none.
    """

    def __init__(self, book: ProviderBook, outgoing: Outgoing) -> None:
        self._book = book
        self._outgoing = outgoing

    async def adjust(
        self,
        provider_id: str,
        group_id: str,
        blocks: Sequence[ForecastedBlock],
        type: ForecastType = ForecastType.CONSUMPTION,  # noqa: A002 - as the message has it
        *,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        """Asks for this capacity. The answer, if there is one, is a new forecast; none means no."""
        message = GroupCapacityForecast(group_id=group_id, type=type, forecasted_blocks=tuple(blocks))
        provider = await self._registered(provider_id)
        await self._send(provider, "adjust_group_capacity_forecast", message, retry_after_s=retry_after_s)

    async def cannot_comply(
        self, provider_id: str, message_id: str, message: str, blocks: Sequence[ForecastedBlock] = ()
    ) -> None:
        """The forecast with this message id cannot be met, in these blocks of it."""
        said = GroupCapacityComplianceError(message=message, forecasted_blocks=tuple(blocks) or None)
        provider = await self._registered(provider_id)
        await self._send(provider, "group_capacity_compliance_error", said, correlation_id=message_id)

    async def measured(
        self,
        provider_id: str,
        group_id: str,
        *,
        energy_kwh: Decimal,
        since: datetime,
        at: datetime,
        power_kw: Decimal | None = None,
    ) -> bool:
        """The energy that all charging of a group has taken: a register that counts since then, and the power now, if
        it is known. False when the provider wants no measurements, and nothing was sent.
        """
        provider = await self._registered(provider_id)
        wanted = provider.measurements
        if provider.profile.metering is Metering.NONE or wanted == ():
            return False
        energy = EnergyMeasurement(
            value=energy_kwh,
            phase=Phase.ALL,
            unit=EnergyUnit.KWH,
            direction=Direction.IMPORT,
            energy_type=EnergyType.FLEXIBLE,
            measure_time=at,
            initial_measure_time=since if MeasurementConfiguration.INTERMITTENT in (wanted or ()) else None,
        )
        if provider.profile.metering is Metering.GROUP:
            group = UpdateGroupMeasurements(group_id=group_id, measurements=(energy,))
            await self._send(provider, "update_group_measurements", group)
        else:
            measurement = _as_asset(group_id, energy, power_kw)
            asset = UpdateAssetMeasurements(group_id=group_id, measurements=(measurement,))
            await self._send(provider, "update_asset_measurements", asset)
        return True

    async def _registered(self, provider_id: str) -> Provider:
        provider = await self._book.get(provider_id)
        if provider.state is State.REGISTERING:
            raise NotDelivered("it is not registered")
        return provider

    async def _send(
        self,
        provider: Provider,
        path: str,
        message: Message,
        *,
        correlation_id: str | None = None,
        retry_after_s: Sequence[float] = RETRY_AFTER_S,
    ) -> None:
        await self._outgoing.send(
            provider.id, path, message, correlation_id=correlation_id, retry_after_s=retry_after_s
        )


def _as_asset(group_id: str, energy: EnergyMeasurement, power_kw: Decimal | None) -> AssetMeasurement:
    """The whole group as one asset: its power where it is known, else its energy."""
    if power_kw is None:
        return AssetMeasurement(asset_id=group_id, asset_category=AssetCategory.CHARGING, energy_measurement=energy)
    power = InstantaneousMeasurement(
        value=power_kw, phase=energy.phase, unit=CapacityUnit.KW, measure_time=energy.measure_time
    )
    return AssetMeasurement(asset_id=group_id, asset_category=AssetCategory.CHARGING, instantaneous_measurement=power)
