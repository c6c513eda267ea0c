// Parameters of events.bicep from the environment. The first two are outputs of main.bicep, which azd gives to its hooks.
using 'events.bicep'

param resourceGroupName = readEnvironmentVariable('AZURE_RESOURCE_GROUP')
param functionAppName = readEnvironmentVariable('FUNCTION_APP_NAME')
param galleries = filter(split(readEnvironmentVariable('GALLERIES'), [' ', ',']), id => !empty(id))
param eventScope = readEnvironmentVariable('EVENT_SCOPE', 'resource-group')
param actionGroupIds = filter(split(readEnvironmentVariable('ACTION_GROUP_IDS', ''), [' ', ',']), id => !empty(id))
