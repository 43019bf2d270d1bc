package alarms

// classes are the event type and the probable cause, in the terms of X.733 and
// X.736, of groups as far as no alarm code tells them.
var classes = map[string][2]string{
	"hsm-status":           {"equipmentAlarm", "underlyingResourceUnavailable"},
	"hsm-silent":           {"communicationsAlarm", "responseTimeExcessive"},
	"hsm-crashed":          {"processingErrorAlarm", "softwareProgramAbnormallyTerminated"},
	"so-login-attempts":    {"securityServiceOrMechanismViolation", "authenticationFailure"},
	"hsm-storage":          {"qualityOfServiceAlarm", "thresholdCrossed"},
	"utilization":          {"qualityOfServiceAlarm", "thresholdCrossed"},
	"partition-storage":    {"qualityOfServiceAlarm", "thresholdCrossed"},
	"ntls":                 {"communicationsAlarm", "communicationsSubsystemFailure"},
	"ntls-log":             {"communicationsAlarm", "communicationsProtocolError"},
	"ntls-certificate":     {"timeDomainViolation", "keyExpired"},
	"appliance-fan":        {"equipmentAlarm", "heatingOrVentilationOrCoolingSystemProblem"},
	"power-supply":         {"equipmentAlarm", "powerProblem"},
	"motherboard":          {"equipmentAlarm", "equipmentMalfunction"},
	"disk":                 {"equipmentAlarm", "equipmentMalfunction"},
	"log-disk":             {"processingErrorAlarm", "storageCapacityProblem"},
	"host-disk":            {"processingErrorAlarm", "storageCapacityProblem"},
	"ha-member":            {"communicationsAlarm", "underlyingResourceUnavailable"},
	"ha-exhausted":         {"communicationsAlarm", "underlyingResourceUnavailable"},
	"ha-redundancy":        {"qualityOfServiceAlarm", "underlyingResourceUnavailable"},
	"ha-offline":           {"communicationsAlarm", "underlyingResourceUnavailable"},
	"ha-recovery-disabled": {"processingErrorAlarm", "configurationOrCustomizationError"},
	"ha-unasked":           {"processingErrorAlarm", "applicationSubsystemFailure"},
	"client-certificate":   {"timeDomainViolation", "keyExpired"},
	"system-status":        {"processingErrorAlarm", "applicationSubsystemFailure"},
	"unreachable":          {"communicationsAlarm", "communicationsSubsystemFailure"},
	"data-stale":           {"qualityOfServiceAlarm", "responseTimeExcessive"},
	"ha-standby-in-use":    {"qualityOfServiceAlarm", "underlyingResourceUnavailable"},
	"service":              {"processingErrorAlarm", "applicationSubsystemFailure"},
	"sources-disagree":     {"integrityViolation", "informationModificationDetected"},
	"source-failing":       {"communicationsAlarm", "communicationsSubsystemFailure"},
	"hsm-sessions":         {"qualityOfServiceAlarm", "resourceAtOrNearingCapacity"},
	"audit-log":            {"processingErrorAlarm", "storageCapacityProblem"},
	"audit-event":          {"securityServiceOrMechanismViolation", "proceduralError"},
	"failed-login":         {"securityServiceOrMechanismViolation", "authenticationFailure"},
	"inventory":            {"operationalViolation", "proceduralError"},
	"inventory-partition":  {"operationalViolation", "outOfService"},
	"inventory-member":     {"operationalViolation", "proceduralError"},
	"forecast":             {"qualityOfServiceAlarm", "resourceAtOrNearingCapacity"},
	"storm":                {"qualityOfServiceAlarm", "congestion"},
	"delivery":             {"communicationsAlarm", "communicationsSubsystemFailure"},
	"journal":              {"processingErrorAlarm", "fileError"},
	"test":                 {"other", "other"},
}

// classify returns event type and probable cause of a judgement.
func classify(j Judgement) (eventType, cause string) {
	if c, ok := CodeNamed(j.Code); ok {
		return c.Type, c.Cause
	}
	if c, ok := classes[j.Group]; ok {
		return c[0], c[1]
	}
	for _, c := range Catalogue {
		if c.Group == j.Group {
			return c.Type, c.Cause
		}
	}
	return "other", "indeterminate"
}
