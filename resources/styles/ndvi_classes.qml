<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>
<qgis version="3.22.0" styleCategories="Symbology">
 <pipe>
  <rasterrenderer type="singlebandpseudocolor" band="1" alphaBand="-1" classificationMin="-1" classificationMax="1" opacity="1" nodataColor="">
   <minMaxOrigin>
    <limits>None</limits>
    <extent>WholeRaster</extent>
    <statAccuracy>Estimated</statAccuracy>
   </minMaxOrigin>
   <rastershader>
    <colorrampshader colorRampType="DISCRETE" classificationMode="1" clip="0" labelPrecision="4" minimumValue="-1" maximumValue="1">
     <item value="0.2" color="#a97c50" alpha="255" label="0.2 and less: none"/>
     <item value="0.4" color="#e2d49a" alpha="255" label="0.2 to 0.4: sparse"/>
     <item value="0.6" color="#a8cf6a" alpha="255" label="0.4 to 0.6: moderate"/>
     <item value="0.9" color="#3f9a45" alpha="255" label="0.6 to 0.9: dense"/>
     <item value="inf" color="#00441b" alpha="255" label="above 0.9: very dense"/>
     <rampLegendSettings useContinuousLegend="0" orientation="2" direction="0" minimumLabel="" maximumLabel="" prefix="" suffix=""/>
    </colorrampshader>
   </rastershader>
  </rasterrenderer>
 </pipe>
</qgis>
